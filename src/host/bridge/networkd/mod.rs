//! systemd-networkd: `.network` files say what a device gets, `.netdev` files make bridges.
//!
//! Of all `.network` files networkd takes the first, by name, that fits a device. A file of the NIC's own is split: what
//! is about the NIC stays, what is about the network moves to the bridge's file. A file that fits more devices than the NIC
//! (`Name=en*`), or that isn't the administrator's, stays as it is, and a file of the NIC's own goes before it.

mod again;
mod files;
#[cfg(test)]
pub(super) mod golden;
mod identity;
mod make;
mod moved;
mod net;
mod netdev;
mod parts;
mod port;
mod take_down;
mod text;
mod units;

use super::{Ask, Backend, Fault, Host, Recipe, WayOut};

pub(super) use identity::{WORDS, iaid};
pub(super) use moved::move_drops;

/// systemd-networkd.
#[derive(Debug, Clone, Copy, Default)]
pub struct Networkd;

impl Backend for Networkd {
    fn name(&self) -> &'static str {
        "networkd"
    }

    fn looks_for(&self) -> &'static [&'static str] {
        &["networkctl"]
    }

    fn ways_out(&self, host: &Host) -> Vec<WayOut> {
        units::ways_out(host)
    }

    fn defines(&self, host: &Host, bridge: &str) -> bool {
        units::units(host, ".netdev").iter().any(|unit| unit.get("NetDev", "Name") == Some(bridge))
    }

    fn make(&self, host: &Host, ask: &Ask) -> Result<Recipe, Fault> {
        make::make(host, ask)
    }

    fn take_down(&self, host: &Host, bridge: &str) -> Result<Recipe, Fault> {
        take_down::take_down(host, bridge)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::super::HostFile;
    use super::golden::{self as cases, apply, ask, host};
    use super::*;

    #[test]
    fn every_folder() {
        cases::every_folder(&Networkd);
    }

    fn with(files: &[(&str, &str)]) -> Host {
        let file = |(name, text): &(&str, &str)| HostFile {
            path: format!("/etc/systemd/network/{name}"),
            text: (*text).into(),
        };
        Host { files: files.iter().map(file).collect(), ..host() }
    }

    proptest! {
        #[test]
        fn there_and_back(
            name in "(enp4s0|en\\*|enp4s0 enp5s0)",
            file in "(lan|10-lan|50-lan)",
            link in "(\n\\[Link\\]\n(#l\n)?MTUBytes=9000\n)?",
            network in "(\n(# c\n)?\\[Network\\]\n((#d\n)?DHCP=yes\n|Address=192.0.2.2/24\n|Gateway=192.0.2.1\n){1,3}(#e\n)?)",
            routes in "(\n\\[Route\\]\nGateway=192.0.2.1\n|\n#f\n\\[DHCPv4\\]\n#\nUseDNS=no\n){0,3}",
            drop in "(\\[Network\\]\nDNS=192.0.2.53\n)?",
        ) {
            let text = format!("# top\n[Match]\nName={name}\n{link}{network}{routes}");
            let (file, add) = (format!("{file}.network"), format!("{file}.network.d/a.conf"));
            let mut files = vec![(file.as_str(), text.as_str())];
            if !drop.is_empty() { files.push((&add, &drop)); }
            let host = with(&files);
            let made = Networkd.make(&host, &ask()).unwrap();
            let done = apply(&host, &made);
            prop_assert!(Networkd.make(&done, &ask()).unwrap().files.is_empty());
            let back = Networkd.take_down(&done, "br0").unwrap();
            let mut found = apply(&done, &back).files;
            found.sort_by(|a, b| a.path.cmp(&b.path));
            let mut wanted = host.files.clone();
            wanted.sort_by(|a, b| a.path.cmp(&b.path));
            prop_assert_eq!(found, wanted);
        }

        #[test]
        fn any_text(
            one in "(\\[(Match|Network|Link|Route|DHCPv4)\\]\n|Name=(enp4s0|en\\*|br0)\n|Bridge=br0\n|Address=x\n|DHCP=yes\n|IAID=3\n|#c\n|;\n| \\\\\n|\n){0,20}",
            two in "\\PC{0,40}",
            netdev in "(\\[NetDev\\]\nName=br0\nKind=bridge\n)?(\\[Bridge\\]\nSTP=yes\n|MACAddress=52:54:00:aa:00:04\n){0,2}",
        ) {
            for bridge in ["[Match]\nName=br0\n[Network]\nDHCP=yes\n", ""] {
                let host = with(&[("a.network", &one), ("b.network", &two), ("br0.netdev", &netdev), ("br0.network", bridge), ("a.network.d/x.conf", &one)]);
                if let Ok(made) = Networkd.make(&host, &ask()) {
                    apply(&host, &made);
                }
                if let Ok(back) = Networkd.take_down(&host, "br0") {
                    apply(&host, &back);
                }
            }
        }
    }
}
