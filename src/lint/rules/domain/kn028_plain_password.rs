//! A password that everybody reads.

use std::ops::Range;

use crate::lint::report::Report;
use crate::lint::rule::{Check, Rule, Severity, example};
use crate::lint::view::{Domain, inner, text, value};
use crate::xml::{child, children, masks};

pub(super) static RULE: Rule = Rule {
    code: "KN028",
    name: "plain-password",
    severity: Severity::Warning,
    summary: "a password stands in the file in plain text",
    why: "\
Whoever reads the file, or its history, knows the password from then on. Leave it out and set it when the guest runs \
('virsh qemu-monitor-command', 'virsh update-device'), let the display listen on 127.0.0.1 or a socket only and go \
through SSH, or put a placeholder there that is filled in where the guest is defined. A secret of QEMU's belongs into a file \
(file=… instead of data=…). Change a password that was committed.",
    fixable: false,
    bad: &[example!("KN028-plain-password", "bad.xml")],
    good: &[example!("KN028-plain-password", "good.xml")],
    check: Check::Domain(check),
};

fn check(domain: &Domain<'_>, report: &mut Report) {
    let doc = domain.doc;
    if !["passw", "commandline", "<cookie"].iter().any(|word| doc.text().contains(word)) {
        return;
    }
    cookies(domain, report);
    for graphics in domain.devices().filter(|device| device.tag_name().name() == "graphics") {
        if graphics.attribute("passwd").is_some_and(is_secret) {
            report
                .at(value(doc, graphics, "passwd"), "the display's password stands here in plain text")
                .help("leave it out and set it when the guest runs; change it if others have seen the file");
        }
    }
    let arguments = || domain.root.descendants().filter(|n| n.is_element() && n.tag_name().name() == "arg");
    if arguments().next().is_none() {
        return;
    }
    let masks = masks(doc);
    for argument in arguments() {
        let Some(given) = argument.attribute("value").filter(|given| is_secret(given)) else { continue };
        let span = value(doc, argument, "value");
        let is_plain = |mask: &Range<usize>| {
            span.start <= mask.start
                && mask.end <= span.end
                && is_plain(given, &doc.text()[span.start..mask.start], &doc.text()[mask.clone()])
        };
        if let Some(mask) = masks.iter().map(|mask| mask.range.clone()).find(is_plain) {
            let instead = match makes_secret(given) {
                true => "write file=… with the path of a file that only QEMU reads",
                false => "name a secret object in its place (password-secret=… and the like), or leave it out",
            };
            report
                .at(mask, "a secret stands here in plain text")
                .help(format!("{instead}; change it if others have seen this"));
        }
    }
}

/// What a disk's server lets libvirt in for.
fn cookies(domain: &Domain<'_>, report: &mut Report) {
    let disks = domain.devices().filter(|device| device.tag_name().name() == "disk");
    let cookies = disks.filter_map(|disk| child(child(disk, "source")?, "cookies"));
    for cookie in cookies.flat_map(|cookies| children(cookies, "cookie")) {
        if text(cookie).is_some_and(|written| is_secret(&written)) {
            report
                .at(inner(domain.doc, cookie), "a cookie, which is a secret, stands here in plain text")
                .help("leave it out here; change it if others have seen the file");
        }
    }
}

/// Is what an argument of QEMU's gives behind `before` a secret, and not the switch or the name of one (`password=on`,
/// `password-secret=ID`)?
fn is_plain(given: &str, before: &str, written: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let before = before.trim_end_matches(|c: char| !is_part(c));
    // Of quotes, XML knows names.
    let before = before.trim_end_matches("&quot").trim_end_matches(|c: char| !is_part(c));
    let before = before.trim_end_matches("&quot");
    let name = before.rsplit(|c| !is_part(c)).next().unwrap_or_default();
    let is_switch = matches!(written.trim(), "on" | "off");
    match name {
        // With a key's name it is encrypted.
        "data" => makes_secret(given) && !["keyid=", "\"keyid\""].iter().any(|key| given.contains(key)),
        "key" | "secret" => !is_switch,
        _ => ["password", "passwd"].iter().any(|word| name.ends_with(word)) && !is_switch,
    }
}

/// Does an argument make one of QEMU's secrets? Other objects have a `data` that is none.
fn makes_secret(given: &str) -> bool {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    given.starts_with("secret,")
        || given.split(',').any(|option| option == "qom-type=secret")
        || given.contains(r#""qom-type":"secret""#)
}

/// Is it more than a placeholder, which something else fills in?
fn is_secret(written: &str) -> bool {
    const PLACEHOLDERS: [&str; 6] = ["${", "{{", "<%", "%(", "@@", "__"];
    !written.trim().is_empty() && !PLACEHOLDERS.iter().any(|mark| written.contains(mark))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::xml::Doc;

    /// The part of an argument that is called a secret.
    fn found(argument: &str) -> Option<String> {
        let text = format!(
            "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'><qemu:commandline>\
             <qemu:arg value='{argument}'/></qemu:commandline></domain>"
        );
        let doc = Doc::parse(&text).unwrap();
        let mut report = Report::default();
        check(&Domain::read(&doc, doc.root()), report.by(&RULE));
        let found = report.found.first()?;
        Some(text[found.span.clone()].to_string())
    }

    #[test]
    fn secrets_in_arguments() {
        let json = r#"{"qom-type":"secret","id":"s","data":"hunter"}"#;
        for (argument, secret) in [
            ("secret,id=s,data=hunter", Some("hunter")),
            ("qom-type=secret,id=s,data=hunter", Some("hunter")),
            (json, Some("hunter")),
            (&json.replace('"', "&quot;").replace(':', " : "), Some("hunter")),
            ("file=x,password-secret=s,password=hunter", Some("hunter")),
            ("rbd:pool/image:id=admin:key=hunter", Some("hunter")),
            ("driver=https,proxy-password=hunter", Some("hunter")),
            (":1,password=on", None),
            (":1,password=off", None),
            (":1,password", None),
            ("file=x,password-secret=s", None),
            ("user=a,password-secret=x,key-secret=y", None),
            ("isa-debugcon,data=0x3f", None),
            ("driver,data=abc", None),
            ("secret,id=s,data=aGk=,keyid=k,iv=x", None),
            ("secret,id=s,data=${SECRET}", None),
            (r#"{"qom-type":"secret","id":"s","data":"aGk=","keyid":"k"}"#, None),
            (r#"{"driver":"x","data":"hunter"}"#, None),
            (r#"{"driver":"https","password-secret":"s"}"#, None),
        ] {
            assert_eq!(found(argument).as_deref(), secret, "{argument}");
        }
    }
}
