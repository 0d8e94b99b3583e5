//! Whatever stands in the files.

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::super::{Ifupdown, config::MAIN, obstacles};
    use crate::host::bridge::{Addresses, Ask, Backend, Host, HostFile, Recipe};

    fn host(text: &str, is_two: bool) -> Host {
        let there = if is_two { "/usr/share/ifupdown2" } else { obstacles::HOOKS };
        let file = |path: &str, text: &str| HostFile { path: path.into(), text: text.into() };
        Host {
            files: vec![
                file(MAIN, text),
                file("/etc/network/interfaces.d/a", "auto lo\niface lo inet loopback\n"),
            ],
            there: vec![there.into()],
            ..Host::default()
        }
    }

    fn ask(ports: &[&str], addresses: Addresses) -> Ask {
        Ask {
            bridge: "br0".into(),
            ports: ports.iter().map(|port| (*port).to_string()).collect(),
            addresses,
            gateways: Vec::new(),
            dns: Vec::new(),
            stp: false,
            forward_delay: 0,
            mac: "52:54:00:aa:00:04".into(),
        }
    }

    fn changed(host: &Host, recipe: &Recipe) -> Host {
        let mut host = host.clone();
        for change in &recipe.files {
            let file = host.files.iter_mut().find(|file| file.path == change.path).unwrap();
            file.text = change.after.clone().unwrap();
        }
        host
    }

    /// Lines as they may stand in such a file, in any order.
    fn any_lines() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            4 => prop::sample::select(vec![
                "auto lo", "auto enp4s0", "allow-hotplug enp4s0", "auto br0", "auto", "allow-hotplug enp4s0 enp4s0.5",
                "auto enp5s0 enp4s0 \\", "iface lo inet loopback", "iface enp4s0 inet dhcp", "iface enp4s0 inet static",
                "iface enp4s0 inet6 auto", "iface enp4s0:1 inet static", "iface br0 inet manual", "iface br0", "iface",
                "iface enp5s0 inet manual", "iface enp4s0.5 inet dhcp", "\taddress 198.18.0.4/24", "  mtu 9000",
                "\tbridge_ports enp4s0", "\tbridge-ports enp4s0 enp5s0", "\tbridge_fd 15", "  offload-gro off", "# b",
                "", "  \\", "source interfaces.d/*", "mapping en*", "  hwaddress 52:54:00:AA:00:04", "  bridge_hw enp4s0",
                "  up ip r a 10.0.0.0/8 dev enp4s0", "\r", "auto /en*", "no-auto-down enp4s0", "source", "auto br0 enp4s0",
            ]).prop_map(String::from),
            1 => "[ -~\u{e4}]{0,20}",
        ];
        (prop::collection::vec(line, 0..14), prop::bool::ANY)
            .prop_map(|(lines, has_end)| lines.join("\n") + if has_end { "\n" } else { "" })
    }

    /// A file as people write it.
    fn sane() -> impl Strategy<Value = String> {
        let head = prop::sample::select(vec![
            "",
            "auto lo\niface lo inet loopback\n\n",
            "# mine\n\nsource interfaces.d/*\n",
        ]);
        let auto = prop::sample::select(vec![
            "auto enp4s0\n",
            "# LAN\nauto enp4s0\n",
            "auto lo enp4s0 enp5s0\n",
            "auto enp4s0\n\n",
        ]);
        let body = prop::sample::select(vec![
            "",
            "\taddress 198.18.0.4/24\n",
            "  address 198.18.0.4\n  # why\n  netmask 255.255.255.0\n",
            "    mtu 1400\n    gateway 198.18.0.1\n",
            "\tup ip route add 10.0.0.0/8 dev $IFACE\n\n",
            "\tup ip route add 10.0.0.0/8 dev enp4s0 \\\n\t\tvia 198.18.0.9\n",
        ]);
        let stanza =
            (prop::sample::select(vec!["inet static", "inet dhcp", "inet6 auto", "inet6 static"]), body);
        let tail = prop::sample::select(vec![
            "",
            "\n",
            "\n# the end",
            "\niface enp5s0 inet manual\n\n",
            "iface enp6s0 inet dhcp",
        ]);
        let stanzas = prop::collection::vec(stanza, 1..3)
            .prop_filter("DHCP twice", |s| s.iter().filter(|(how, _)| *how == "inet dhcp").count() < 2);
        (head, auto, stanzas, tail, prop::bool::ANY).prop_map(|(head, auto, stanzas, tail, is_crlf)| {
            let stanzas: String =
                stanzas.iter().map(|(how, body)| format!("iface enp4s0 {how}\n{body}")).collect();
            let text = format!("{head}{auto}{stanzas}{tail}");
            // A backslash goes on at a line feed only.
            if is_crlf && !text.contains('\\') { text.replace('\n', "\r\n") } else { text }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 700, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn nothing_panics_and_others_lines_stay(text in any_lines(), is_two: bool, how in 0..4, ports in 1..3_usize) {
            let host = host(&text, is_two);
            let addresses = match how {
                0 | 1 => Addresses::Keep,
                2 => Addresses::None,
                _ => Addresses::Static(vec!["198.18.0.7/24".parse().unwrap()]),
            };
            let ask = ask(&["enp4s0", "enp5s0"][..ports], addresses);
            let _ = Ifupdown.take_down(&host, "br0");
            let Ok(recipe) = Ifupdown.make(&host, &ask) else { return Ok(()) };
            let after = changed(&host, &recipe);
            let again = Ifupdown.make(&after, &ask);
            prop_assert!(again.is_ok_and(|again| again.files.is_empty()), "{}", after.files[0].text);
            // A word may stand in a line whose beginning is another's.
            if how < 2 && !text.contains('\\') {
                let names = ["enp4s0", "br0", "enp5s0", "mtu", "offload", "hwaddress", "bridge"];
                let others = |text: &str| -> Vec<String> {
                    let lines = text.lines().map(|line| line.trim_end().to_string());
                    lines.filter(|l| !l.is_empty() && l != "auto" && !names.iter().any(|name| l.contains(name))).collect()
                };
                prop_assert_eq!(others(&host.files[0].text), others(&after.files[0].text));
            }
            let _ = Ifupdown.take_down(&after, "br0");
        }

        #[test]
        fn any_bytes(text in "\\PC{0,80}", is_two: bool) {
            let host = host(&text, is_two);
            let _ = Ifupdown.make(&host, &ask(&["enp4s0"], Addresses::Keep));
            let _ = Ifupdown.take_down(&host, "br0");
        }

        #[test]
        fn there_and_back(text in sane(), is_two: bool) {
            let host = host(&text, is_two);
            let ask = ask(&["enp4s0"], Addresses::Keep);
            let recipe = Ifupdown.make(&host, &ask).unwrap();
            let after = changed(&host, &recipe);
            let back = changed(&after, &Ifupdown.take_down(&after, "br0").unwrap());
            prop_assert_eq!(&back.files[0].text, &text, "{}", after.files[0].text);
        }
    }
}
