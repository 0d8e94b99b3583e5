//! What holds for any files.

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use crate::host::Kind;
    use crate::host::bridge::networkmanager::keyfile::Keyfile;
    use crate::host::bridge::{Addresses, Ask, Backend, Host, HostDevice, HostFile, NetworkManager};

    const LAN: &str = "/etc/NetworkManager/system-connections/lan.nmconnection";

    fn ask() -> Ask {
        Ask {
            bridge: "br0".into(),
            ports: vec!["enp4s0".into()],
            addresses: Addresses::Keep,
            gateways: Vec::new(),
            dns: Vec::new(),
            stp: false,
            forward_delay: 0,
            mac: "52:54:00:aa:00:04".into(),
        }
    }

    fn host(texts: &[String]) -> Host {
        let path = |at: usize| match at {
            0 => LAN.to_string(),
            at => format!("/etc/NetworkManager/system-connections/more{at}.nmconnection"),
        };
        let files =
            texts.iter().enumerate().map(|(at, text)| HostFile { path: path(at), text: text.clone() });
        let nic = HostDevice {
            name: "enp4s0".into(),
            kind: Kind::Ethernet,
            mac: Some("52:54:00:aa:00:04".into()),
            ..HostDevice::default()
        };
        Host { files: files.collect(), devices: vec![nic], there: vec!["busctl".into()], cloud_is_off: true }
    }

    fn apply(host: &mut Host, recipe: &crate::host::bridge::Recipe) {
        for change in &recipe.files {
            assert_eq!(host.text(&change.path), change.before.as_deref());
            host.files.retain(|file| file.path != change.path);
            let text = change.after.clone();
            host.files.extend(text.map(|text| HostFile { path: change.path.clone(), text }));
        }
    }

    /// Lines as they are met, and as they aren't.
    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => prop::sample::select(vec![
                "", "  ", "# a comment", "#", "[connection]", "[ethernet]", "[802-3-ethernet]", "[ipv4]", "[ipv6]",
                "[bridge]", "[proxy]", "[vlan]", "[.nmmeta]", "[]", "[", "=", "id=lan", "type=ethernet", "type=bridge",
                "type = 802-3-ethernet", "uuid=u", "uuid=v", "interface-name=enp4s0", "interface-name=br0", "master=br0",
                "controller=u", "slave-type=bridge", "zone=home", "method=manual", "method=auto", "gateway=192.0.2.1",
                "address1=192.0.2.5/24,192.0.2.1", "addresses=::1;64;::", "address2=/99", "route1=0.0.0.0/0,192.0.2.1",
                "dns=192.0.2.1;", "multi-connect=3", "autoconnect=false", "autoconnect-priority=99999999999",
                "autoconnect-priority=2147483647", "parent=br0", "nm-generated=true", "mtu=9000", "stp=maybe",
                "mac-address=52:54:00:AA:00:04", "junk",
            ]).prop_map(String::from),
            1 => "\\PC{0,20}",
        ]
    }

    fn text() -> impl Strategy<Value = String> {
        (prop::collection::vec((line(), prop::sample::select(vec!["\n", "\r\n", "\n\n", ""])), 0..24))
            .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
    }

    /// A profile as people have them: in this order, with comments, blanks and other sections.
    fn profile() -> impl Strategy<Value = String> {
        let spice = prop::sample::select(vec!["", "# why\n", "\n", "#a=b\n# c\n", "\n# far\n\n"]);
        let four = prop::sample::select(vec![
            "method=auto\n",
            "method=manual\naddress1=192.0.2.5/24,192.0.2.1\n# dns\ndns = 192.0.2.1;\n",
            "addresses1=192.0.2.5;24;0.0.0.0;\nmethod=manual\nroute1=198.51.100.0/24,192.0.2.9\nroute1_options=mtu=1400\n",
            "method=disabled\n",
        ]);
        let six = prop::sample::select(vec![
            "",
            "\n[ipv6]\nmethod=ignore\n",
            "\n\n[ipv6]\naddr-gen-mode=default\nmethod=auto\n\n[proxy]\n",
            "[ipv6]\nmethod=auto\ndhcp-timeout=9",
        ]);
        let ether = prop::sample::select(vec![
            "",
            "\n[ethernet]\n",
            "\n# cable\n[802-3-ethernet]\nmtu = 9000\ncloned-mac-address=preserve\n",
            "\n[ethernet]\nmtu=1400\n\n[ethtool]\nfeature-gro=true\n",
        ]);
        let more =
            prop::sample::select(vec!["", "zone=home\n", "# fire\nzone = home\n", "permissions=user:me:;\n"]);
        let crlf = any::<bool>();
        (spice.clone(), spice.clone(), spice, more, ether, four, six, crlf).prop_map(
            |(a, b, c, more, ether, four, six, crlf)| {
                let text = format!(
                    "{a}[connection]\nid=lan\nuuid=u\ntype=ethernet\n{b}interface-name=enp4s0\n{more}{ether}{c}\n[ipv4]\n{four}{six}"
                );
                if crlf { text.replace('\n', "\r\n") } else { text }
            },
        )
    }

    proptest! {
        #[test]
        fn reading_and_writing_change_nothing(text in text(), any in any::<String>()) {
            prop_assert_eq!(Keyfile::parse(&text).text(), text);
            prop_assert_eq!(Keyfile::parse(&any).text(), any);
        }

        #[test]
        fn a_key_is_set_and_nothing_else(text in text()) {
            let mut keys = Keyfile::parse(&text);
            let before = keys.clone();
            keys.set("ipv4", "dns", "203.0.113.1;");
            prop_assert_eq!(keys.get("ipv4", "dns"), Some("203.0.113.1;"));
            let again = Keyfile::parse(&keys.text());
            prop_assert_eq!(again.get("ipv4", "dns"), Some("203.0.113.1;"));
            for section in ["connection", "ethernet", "ipv6", "bridge"] {
                prop_assert_eq!(again.pairs(section), before.pairs(section));
            }
            if before.get("ipv4", "dns").is_none() {
                keys.remove("ipv4", "dns");
                if before.has("ipv4") {
                    prop_assert_eq!(keys.text(), text);
                }
            }
        }

        #[test]
        fn no_files_make_it_panic(texts in prop::collection::vec(text(), 0..4), stp in any::<bool>()) {
            let host = host(&texts);
            let asks = [
                Ask { stp, forward_delay: 2, dns: vec!["192.0.2.7".parse().unwrap()], ..ask() },
                Ask { gateways: vec!["192.0.2.7".parse().unwrap()], ..ask() },
                Ask { addresses: Addresses::Static(vec!["192.0.2.7/24".parse().unwrap()]), ..ask() },
                Ask { addresses: Addresses::None, ..ask() },
            ];
            for ask in asks {
                if let Ok(recipe) = NetworkManager.make(&host, &ask) {
                    let mut after = host.clone();
                    apply(&mut after, &recipe);
                    let again = NetworkManager.make(&after, &ask);
                    if let Ok(again) = &again {
                        prop_assert!(again.files.is_empty(), "{:#?}\n{:#?}", recipe.files, again.files);
                    }
                }
            }
            let _ = NetworkManager.take_down(&host, "br0");
        }

        #[test]
        fn there_and_back(text in profile()) {
            let first = host(std::slice::from_ref(&text));
            let recipe = NetworkManager.make(&first, &ask()).unwrap();
            let mut host = first.clone();
            apply(&mut host, &recipe);
            let bridge = host.text("/etc/NetworkManager/system-connections/br0.nmconnection").unwrap();
            let at = text.find("[ipv4]").unwrap();
            prop_assert!(bridge.ends_with(&text[at..]), "{bridge}");
            prop_assert!(NetworkManager.make(&host, &ask()).unwrap().files.is_empty());
            let down = NetworkManager.take_down(&host, "br0").unwrap();
            apply(&mut host, &down);
            prop_assert_eq!(host.text(LAN).unwrap(), text);
            prop_assert_eq!(host.files.len(), 1);
            prop_assert_eq!(down.found, recipe.found);
        }
    }
}
