//! Why nobody seems to configure a device.

use crate::cmd::host::owners::is_installed;
use crate::cmd::host::texts;
use crate::host::bridge::netplan_fault;
use crate::host::config::{SCRIPTS, Script, ifupdown};
use crate::problem::Problem;
use crate::sys::tree::Tree;

/// What stands in the way of telling, if it isn't that nobody does: a file that can't be understood, a program that is
/// missing, files of a kind that kvmnet doesn't write.
pub(super) fn why(tree: &Tree, name: &str, mac: Option<&str>) -> Option<anyhow::Error> {
    let mut unread = Vec::new();
    let mut broken = texts::netplan(tree, &mut unread).into_iter();
    if let Some(fault) = broken.find_map(|(path, text)| netplan_fault(&path, &text)) {
        return Some(Problem::new(
            format!("who configures {name} can't be told: {}", fault.what),
            fault.help,
        ));
    }
    let names = |text: &str| ifupdown(text).is_about(name);
    let mut files = texts::interfaces(tree, &mut unread).into_iter();
    if let Some((path, _)) = files.find(|(_, text)| names(text))
        && !is_installed(tree, &["ifup", "ifreload"])
    {
        return Some(Problem::new(
            format!("{name} stands in {path}, but neither ifup nor ifreload is installed"),
            "install ifupdown (or ifupdown2), or remove the file if something else shall configure this host",
        ));
    }
    let scripts = texts::files(tree, &[SCRIPTS], "", &mut unread);
    let is_its = |(path, text): &&(String, String)| {
        Script::read(path, text).is_some_and(|script| script.is_about(name, mac))
    };
    let (path, _) = scripts.iter().find(is_its)?;
    Some(Problem::new(
        format!("{name} is configured by {path}, and NetworkManager, which reads such files, isn't enabled"),
        "have NetworkManager take it over: systemctl enable --now NetworkManager, then nmcli connection migrate",
    ))
}
