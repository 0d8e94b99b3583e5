//! netplan: YAML of its own, which it turns into networkd's files or NetworkManager's.
//!
//! What a NIC's definition says of the network moves to a definition of the bridge, in the same file; what is about the
//! device stays. One that is for several devices (`match: {name: en*}`) stays as it is, and the NIC gets one of its own.

mod defs;
mod edit;
mod identity;
mod items;
mod keys;
mod make;
mod piece;
mod port;
mod secret;
mod take_down;
mod yaml;

pub(super) use secret::masked;

use super::{Ask, Backend, Fault, Host, Recipe, WayOut};

/// netplan.
#[derive(Debug, Clone, Copy, Default)]
pub struct Netplan;

impl Backend for Netplan {
    fn name(&self) -> &'static str {
        "netplan"
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["netplan"]
    }

    fn ways_out(&self, host: &Host) -> Vec<WayOut> {
        defs::ways_out(host)
    }

    fn defines(&self, host: &Host, bridge: &str) -> bool {
        // What can't be read is said when it is to be changed.
        defs::Files::read(host)
            .map_or(true, |files| files.defs().iter().any(|def| def.kind == "bridges" && def.id == bridge))
    }

    fn make(&self, host: &Host, ask: &Ask) -> Result<Recipe, Fault> {
        make::make(host, ask)
    }

    fn take_down(&self, host: &Host, bridge: &str) -> Result<Recipe, Fault> {
        take_down::take_down(host, bridge)
    }
}

/// Why a file of netplan's can't be read, if it can't.
pub fn netplan_fault(path: &str, text: &str) -> Option<Fault> {
    yaml::read(text).err().map(|unread| defs::fault(path, &unread))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::super::networkd::golden::{self as cases, apply, ask};
    use super::super::{HostFile, Recipe};
    use super::*;

    #[test]
    fn every_folder() {
        cases::every_folder(&Netplan);
    }

    fn host(text: &str) -> Host {
        let file = HostFile { path: "/etc/netplan/01.yaml".into(), text: text.into() };
        Host { files: vec![file], ..cases::host() }
    }

    /// Every file that comes out is one.
    fn sound(recipe: &Recipe) {
        for change in recipe.files.iter().filter(|change| change.path.ends_with(".yaml")) {
            assert!(yaml::read(change.after.as_deref().unwrap_or_default()).is_ok(), "{change:?}");
        }
    }

    /// What a person would write of a NIC, each with a step of its own.
    fn entries() -> impl Strategy<Value = Vec<String>> {
        let one = prop_oneof![
            Just("dhcp4: true\n".to_string()),
            Just("# why\ndhcp6: no # not here\n".to_string()),
            Just("addresses: [192.0.2.2/24, \"2001:db8::2/64\"]\n".to_string()),
            Just("addresses:\n- 192.0.2.2/24\n- 192.0.2.3/24: {label: \"x:y\"}\n".to_string()),
            Just("addresses: [\n  192.0.2.2/24\n]\n".to_string()),
            Just("nameservers:\n  search: [a.example, 'b.example']\n  # the router\n  addresses:\n    - 192.0.2.1\n".to_string()),
            Just("nameservers: {addresses: [192.0.2.1]}\n".to_string()),
            Just("routes:\n  - to: default\n    via: 192.0.2.1\n    metric: 5\n  # more\n  - {to: 198.51.100.0/24, via: 192.0.2.9}\n".to_string()),
            Just("gateway4: 192.0.2.1\n".to_string()),
            Just("optional: yes\n".to_string()),
        ];
        prop::collection::vec(one, 1..6).prop_map(|all| {
            let mut seen = Vec::new();
            let key = |entry: &String| {
                entry
                    .lines()
                    .find(|l| !l.starts_with('#'))
                    .unwrap_or_default()
                    .split(':')
                    .next()
                    .unwrap_or_default()
                    .to_string()
            };
            all.into_iter()
                .filter(|entry| {
                    let key = key(entry);
                    !seen.contains(&key) && {
                        seen.push(key);
                        true
                    }
                })
                .collect()
        })
    }

    fn shifted(text: &str, by: usize) -> String {
        text.split_inclusive('\n').map(|line| format!("{}{line}", " ".repeat(by))).collect()
    }

    proptest! {
        #[test]
        fn there_and_back(entries in entries(), step in 1_usize..5, before in any::<bool>(), after in any::<bool>(), last in any::<bool>(), bridges in any::<bool>(), newline in any::<bool>(), crlf in any::<bool>()) {
            let mut inner = String::new();
            if before { inner.push_str("# kept\nenp9s0: {dhcp4: yes}\n"); }
            inner.push_str("# ours\nenp4s0: # here\n");
            inner.push_str(&shifted(&entries.concat(), step));
            if after { inner.push_str("enp8s0:\n  optional: true\n\n"); }
            let mut text = String::from("# top\nnetwork:\n");
            if !last { text.push_str(&shifted("version: 2\n", step)); }
            text.push_str(&shifted("ethernets:\n", step));
            text.push_str(&shifted(&inner, 2 * step));
            if bridges { text.push_str(&shifted("bridges:\n", step)); text.push_str(&shifted("br9: {}\n", 2 * step)); }
            if last { text.push_str(&shifted("version: 2\n", step)); }
            if !newline { text.truncate(text.trim_end().len()); }
            if crlf { text = text.replace('\n', "\r\n"); }
            let host = host(&text);
            let made = Netplan.make(&host, &ask()).unwrap();
            sound(&made);
            let done = apply(&host, &made);
            prop_assert!(Netplan.make(&done, &ask()).unwrap().files.is_empty());
            for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("enp4s0")) {
                prop_assert!(done.files[0].text.lines().any(|l| l.trim() == line), "{} is not in {}", line, done.files[0].text);
            }
            let back = Netplan.take_down(&done, "br0").unwrap();
            prop_assert_eq!(&apply(&done, &back).files, &host.files);
        }

        #[test]
        fn any_text(text in "\\PC{0,60}", yaml in "(( {0,6}|- )(enp4s0|br0|interfaces|dhcp4|routes|match|to|true|[\"'{}\\[\\]#:, &*|>!-]| ){0,6}\n){0,8}") {
            for text in [text.clone(), yaml.clone(), format!("network:\n  ethernets:\n    enp4s0:\n{yaml}"), format!("network:\n  ethernets:\n    enp4s0: {{dhcp4: true}}\n  bridges:\n    br0:\n      interfaces: [enp4s0]\n{yaml}"), format!("network: {{ethernets: {{enp4s0: {text}}}}}")] {
                let host = host(&text);
                if let Ok(made) = Netplan.make(&host, &ask()) {
                    sound(&made);
                    apply(&host, &made);
                }
                if let Ok(back) = Netplan.take_down(&host, "br0") {
                    sound(&back);
                    apply(&host, &back);
                }
            }
        }
    }
}
