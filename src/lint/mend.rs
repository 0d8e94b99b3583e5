//! The fixes of one file's findings, put together.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use super::file::check_file;
use super::finding::Finding;
use super::settings::Settings;
use crate::xml::{Doc, Edits};

/// One fix may make room for the next; after so many rounds it is enough.
const ROUNDS: usize = 8;

/// A file's text with what can be mended in it mended.
#[derive(Debug)]
pub struct Mended {
    /// The new text.
    pub text: String,
    /// What was mended: code and words of each finding, in order; with the line, as far as that is one of the text as it was.
    pub what: Vec<String>,
}

/// Mends what can be; `None` if that is nothing. Fixes that meet in one place are made one after the other, each in a text
/// that is checked again.
pub fn mend(file: &Arc<Path>, text: &str, settings: &Arc<Settings>) -> Option<Mended> {
    let mut out = Mended { text: text.to_string(), what: Vec::new() };
    for round in 0..ROUNDS {
        let mut findings = check_file(file, out.text.as_bytes(), settings).ok()?.findings;
        findings.sort_by(|a, b| a.order().cmp(&b.order()));
        let (edits, what) = together(&findings, round == 0);
        let new = edits.apply(&out.text);
        // No fix makes XML of it that isn't any; should one, nothing of this round is kept.
        if edits.is_empty() || Doc::parse(&new).is_err() {
            break;
        }
        out.text = new;
        out.what.extend(what);
    }
    (!out.what.is_empty() && out.text != text).then_some(out)
}

/// The fixes that don't touch each other, first come, first served.
fn together(findings: &[Finding], has_lines: bool) -> (Edits, Vec<String>) {
    let (mut edits, mut what) = (Edits::default(), Vec::new());
    let mut taken: Vec<Range<usize>> = Vec::new();
    for finding in findings {
        let Some(fix) = &finding.fix else { continue };
        let touches = |range: &Range<usize>| {
            taken.iter().any(|taken| range.start <= taken.end && taken.start <= range.end)
        };
        if fix.iter().any(|edit| touches(&edit.range)) {
            continue;
        }
        for edit in fix.iter() {
            taken.push(edit.range.clone());
            edits.push(edit.range.clone(), edit.text.clone());
        }
        let line = if has_lines { format!(" line {}", finding.place.line) } else { String::new() };
        what.push(format!("{}{line}: {}", finding.rule.code, finding.message));
    }
    (edits, what)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::lint::{Choice, Policy};

    fn mended(text: &str) -> Option<Mended> {
        let settings = Settings::new(&Policy::default(), &[], &Choice::default());
        mend(&Arc::from(Path::new("a.xml")), text, &Arc::new(settings))
    }

    /// What hangs on a NIC's type stays until that is right; where a NIC leads is never taken away.
    #[test]
    fn a_fix_takes_nothing_that_was_meant() {
        let guest = |nic: &str| {
            format!("<domain type='kvm'><name>a</name><memory>1</memory><devices>{nic}</devices></domain>")
        };
        let after = |nic: &str| mended(&guest(nic)).map(|m| m.text);
        let rest = "<mac address='52:54:00:12:34:56'/><source bridge='br0'/><mtu size='1400'/></interface>";
        let good = guest(&format!("<interface type='bridge'>{rest}"));
        assert_eq!(after(&format!("<interface type='brdige'>{rest}")), Some(good.clone()));
        assert_eq!(after(&format!("<interface>{rest}")), Some(good));
        let tap = "<target dev='tap0' managed='no'/></interface>";
        let good = guest(&format!("<interface type='ethernet'>{tap}"));
        assert_eq!(after(&format!("<interface type='etherent'>{tap}")), Some(good));
        assert_eq!(after(&format!("<interface type='network'>{rest}")), None);
    }

    /// What was meant is made of what was mistyped, and not put beside it.
    #[test]
    fn a_slip_is_mended_where_it_stands() {
        let guest = |nic: &str| {
            format!("<domain type='kvm'><name>a</name><memory>1</memory><devices>{nic}</devices></domain>")
        };
        let direct =
            |source: &str| guest(&format!("<interface type='direct'><source {source}/></interface>"));
        let typed = |word: &str| guest(&format!("<interface {word}><source bridge='b'/></interface>"));
        let mac = |words: &str| guest(&format!("<interface type='user'><mac {words}/></interface>"));
        let m = "52:54:00:12:34:56";
        for (before, after) in [
            (direct("mdoe='vepa' dev='a'"), Some(direct("mode='vepa' dev='a'"))),
            (direct("Mode='vepa' dev='a'"), Some(direct("mode='vepa' dev='a'"))),
            (direct("mdoe='brdige' dev='a'"), None),
            (typed("tpye='bridge'"), Some(typed("type='bridge'"))),
            (typed("Type='bridge'"), Some(typed("type='bridge'"))),
            (typed("tpye='odd'"), None),
            (mac(&format!("adress='{m}'")), Some(mac(&format!("address='{m}'")))),
            (mac(&format!("adress='{m}' addres='{m}'")), None),
        ] {
            assert_eq!(mended(&before).map(|m| m.text), after, "{before}");
        }
    }

    /// Nothing is written beside what was mistyped: that is mended first.
    #[test]
    fn what_is_missing_may_be_mistyped() {
        let network = |inner: &str| format!("<network><name>a</name>{inner}</network>");
        for (before, after) in [
            (
                "<domain name='a' localonly='yes' register='yes'/>",
                Some("<domain name='a' localOnly='yes' register='yes'/>"),
            ),
            (
                "<ip address='fd00::1' prefix='64' famliy='ipv6'/>",
                Some("<ip address='fd00::1' prefix='64' family='ipv6'/>"),
            ),
            ("<ip address='10.0.0.1/24' perfix='24'/>", Some("<ip address='10.0.0.1/24' prefix='24'/>")),
            (
                "<ip address='10.0.0.1' prefix='255.255.255.0' netmaks='255.255.255.0'/>",
                Some("<ip address='10.0.0.1' prefix='255.255.255.0' netmask='255.255.255.0'/>"),
            ),
        ] {
            assert_eq!(mended(&network(before)).map(|m| m.text), after.map(network), "{before}");
        }
    }

    /// Of two elements libvirt reads the first: were that changed, or gone, nobody knows which one would be meant.
    #[test]
    fn what_stands_there_twice_is_left_alone() {
        let guest = |inner: &str| {
            let nic = format!("<interface type='bridge'><source bridge='b'/>{inner}</interface>");
            format!("<domain type='kvm'><name>a</name><memory>1</memory><devices>{nic}</devices></domain>")
        };
        let network = |inner: &str| format!("<network><name>a</name>{inner}</network>");
        for text in [
            guest("<target dev='vnet3'/><target dev='mytap'/>"),
            guest("<mac address='52-54-00-12-34-56'/><mac address='52:54:00:12:34:57'/>"),
            guest("<modle type='virtio'/><model type='e1000'/>"),
            network("<bridge name='virbr7' stp='OFF'/><bridge name='virbr8'/>"),
        ] {
            assert!(mended(&text).is_none(), "{text}");
        }
        assert_eq!(mended(&guest("<target dev='vnet3'/>")).unwrap().text, guest(""));
        let text = "<bridge name='virbr7' stp='OFF'/>";
        assert!(mended(&network(text)).is_some());
    }

    /// What libvirt drops may be what it would refuse, were it written as it was meant.
    #[test]
    fn no_fix_makes_what_libvirt_refuses() {
        let guest = |inner: &str| {
            format!("<domain type='kvm'><name>a</name><memory>1</memory><devices>{inner}</devices></domain>")
        };
        let nic = |inner: &str| format!("<interface type='user'>{inner}</interface>");
        let port = nic("<virtualprot type='openvswitch'/>");
        assert!(mended(&guest(&port)).is_none());
        // The fixes of others are made.
        let m = "52:54:00:12:34";
        let macs = |word: &str| {
            let one = |n: usize| nic(&format!("<mac {word}='{m}:{n:02x}'/>"));
            guest(&[one(1), port.clone(), one(2), one(3), port.clone(), one(4)].concat())
        };
        assert_eq!(mended(&macs("adress")).unwrap().text, macs("address"));
        let vlan = "<vlan><tag id='4'/></vlan>";
        let network = format!(
            "<network><name>a</name><forward mode='nat'/><ip address='10.0.0.1' prefix='24'/>\
             <portgroups name='a'>{vlan}</portgroups></network>"
        );
        assert!(mended(&network).is_none());
    }

    /// Where it isn't clear what is meant, nothing is mended; and what is written has the quotes of the file.
    #[test]
    fn no_fix_guesses() {
        let guest = |inner: &str| {
            format!("<domain type='kvm'><name>a</name><memory>1</memory><devices>{inner}</devices></domain>")
        };
        let network = |inner: &str| format!("<network><name>a</name>{inner}</network>");
        for text in [
            guest(
                "<interface type='bridge'><source network='lan' portgroup='x' portid='1' bridge='br0'/></interface>",
            ),
            guest(
                "<interface type='direct'><source network='pool' portid='1' dev='eno2' mode='vepa'/></interface>",
            ),
            guest("<interface><source dev='eth0'/></interface>"),
            guest("<interface><source bridge='br0' network='default'/></interface>"),
            network("<forward mode='isolated'><interface dev='eth0'/></forward>"),
            network("<forward mode='none' dev='eth0'/>"),
            network("<domain name='b' localOnly='no' register='yes'/>"),
        ] {
            assert!(mended(&text).is_none(), "{text}");
        }
        let mac = "<mac address='00:00:00:00:00:00' type='static'/>";
        assert_eq!(
            mended(&guest(&format!("<interface type='user'>{mac}</interface>"))).unwrap().text,
            guest("<interface type='user'></interface>")
        );
        let wide = |text: String| text.replace('\'', "\"");
        for (before, after) in [
            (
                guest("<interface type='direct'><source dev='a'/></interface>"),
                guest("<interface type='direct'><source dev='a' mode='bridge'/></interface>"),
            ),
            (
                guest("<interface><source bridge='b'/></interface>"),
                guest("<interface type='bridge'><source bridge='b'/></interface>"),
            ),
            (
                network("<domain name='b' register='yes'/>"),
                network("<domain localOnly='yes' name='b' register='yes'/>"),
            ),
        ] {
            assert_eq!(mended(&wide(before)).unwrap().text, wide(after));
        }
    }

    #[test]
    fn every_fix_finds_its_place() {
        let nic = "<interface type='direct'><source dev='a'/></interface>\n";
        let text =
            format!("<domain type='kvm'><name>a</name><devices>\n{}</devices></domain>", nic.repeat(3));
        let mended = mended(&text).unwrap();
        assert_eq!(mended.text, text.replace("'a'/>", "'a' mode='bridge'/>"));
        assert!(mended.what.len() == 3 && mended.what[2].starts_with("KN017 line 4: "), "{:?}", mended.what);
        assert!(super::tests::mended(&mended.text).is_none());
        assert!(super::tests::mended("<domain").is_none());
    }
}
