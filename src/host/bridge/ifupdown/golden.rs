//! Whole files before and after: `fixtures/bridges/ifupdown/<case>/` has `ask`, what is there `before`, what is there
//! `after`, and what the recipe says beside (`recipe`). `BLESS=1` writes the latter two anew.

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::{Path, PathBuf};

    use super::super::{Ifupdown, obstacles};
    use crate::host::Kind;
    use crate::host::bridge::{Address, Addresses, Ask, Backend, Fault, Host, HostDevice, HostFile, Recipe};

    fn fixtures() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bridges/ifupdown")
    }

    fn files(root: &Path, below: &Path, out: &mut Vec<HostFile>) {
        let Ok(entries) = fs::read_dir(below) else { return };
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                files(root, &path, out);
            } else {
                let name = format!("/{}", path.strip_prefix(root).unwrap().display());
                out.push(HostFile { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }

    /// What is asked, and of what host: words, a line each.
    fn read(case: &Path) -> (Host, Ask, Option<String>) {
        let mut host = Host { there: vec![obstacles::HOOKS.into(), "resolvconf".into()], ..Host::default() };
        files(&case.join("before"), &case.join("before"), &mut host.files);
        let mut ask = Ask {
            bridge: "br0".into(),
            ports: Vec::new(),
            addresses: Addresses::Keep,
            gateways: Vec::new(),
            dns: Vec::new(),
            stp: false,
            forward_delay: 0,
            mac: "52:54:00:aa:00:04".into(),
        };
        let (mut taken, mut advertised) = (None, Vec::new());
        let text = fs::read_to_string(case.join("ask")).unwrap();
        for line in text.lines() {
            let (key, value) = line.split_once(' ').unwrap_or((line, ""));
            match key {
                "bridge" => ask.bridge = value.into(),
                "port" => ask.ports.push(value.into()),
                "address" => {
                    ask.addresses = match value {
                        "dhcp" => Addresses::Dhcp,
                        "none" => Addresses::None,
                        _ => Addresses::Static(value.split(' ').map(|net| net.parse().unwrap()).collect()),
                    }
                }
                "gateway" => ask.gateways.push(value.parse().unwrap()),
                "dns" => ask.dns.push(value.parse().unwrap()),
                "stp" => (ask.stp, ask.forward_delay) = (true, value.parse().unwrap()),
                "mac" => ask.mac = value.into(),
                "advertised" => advertised.push(value.parse().unwrap()),
                "take-down" => taken = Some(value.to_string()),
                "there" => host.there.push(value.into()),
                "without" => host.there.retain(|there| there != value),
                "device" => host.devices.push(HostDevice {
                    name: value.into(),
                    kind: Kind::Vlan,
                    ..HostDevice::default()
                }),
                _ => panic!("{}: {line}", case.display()),
            }
        }
        for (name, mac) in [("enp4s0", "52:54:00:aa:00:04"), ("enp5s0", "52:54:00:aa:00:05")] {
            let mac = Some(mac.to_string());
            let permanent_mac = mac.clone();
            let name = name.into();
            host.devices.push(HostDevice { name, mac, permanent_mac, ..HostDevice::default() });
        }
        let nic = host.devices.iter_mut().find(|device| device.name == "enp4s0").unwrap();
        let of = |net| Address { net, is_link: false, is_dynamic: true };
        nic.addresses.extend(advertised.into_iter().map(of));
        (host, ask, taken)
    }

    fn told(outcome: &Result<Recipe, Fault>) -> String {
        let recipe = match outcome {
            Err(fault) => return format!("fault: {}\nhelp: {}\n", fault.what, fault.help),
            Ok(recipe) => recipe,
        };
        let mut out = String::new();
        for (name, way) in [("make", &recipe.make), ("unmake", &recipe.unmake)] {
            for (when, commands) in [("before", &way.before), ("after", &way.after)] {
                for command in commands {
                    out += &format!("{name} {when}: {}\n", command.join(" "));
                }
            }
        }
        let found = &recipe.found;
        out += &format!("found: {:?} {:?} dhcp4={}\n", found.addresses, found.gateways, found.dhcp4);
        for note in &recipe.notes {
            out += &format!("note: {note}\n");
        }
        out
    }

    fn changed(host: &Host, recipe: &Recipe) -> Host {
        let mut host = host.clone();
        for change in &recipe.files {
            let file = host.files.iter_mut().find(|file| file.path == change.path).unwrap();
            assert_eq!(change.before.as_deref(), Some(file.text.as_str()));
            file.text = change.after.clone().unwrap();
        }
        host
    }

    fn compare(case: &Path, name: &str, text: &str) {
        let path = case.join(name);
        if std::env::var_os("BLESS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(text, expected, "{}", path.display());
    }

    #[test]
    fn every_case_comes_out_as_it_is_written_down() {
        let mut cases: Vec<PathBuf> =
            fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
        cases.sort();
        assert!(cases.len() > 20);
        for case in cases {
            let (host, ask, taken) = read(&case);
            let outcome = match &taken {
                Some(bridge) => Ifupdown.take_down(&host, bridge),
                None => Ifupdown.make(&host, &ask),
            };
            compare(&case, "recipe", &told(&outcome));
            let Ok(recipe) = outcome else { continue };
            let after = changed(&host, &recipe);
            for (before, file) in host.files.iter().zip(&after.files) {
                if before.text != file.text {
                    compare(&case, &format!("after{}", file.path), &file.text);
                }
            }
            if taken.is_some() {
                continue;
            }
            let again = Ifupdown.make(&after, &ask).unwrap();
            assert_eq!(again.files, [], "{} once more", case.display());
            assert_eq!(again.found, recipe.found, "{}", case.display());
            let back = changed(&after, &Ifupdown.take_down(&after, &ask.bridge).unwrap());
            for (before, file) in host.files.iter().zip(&back.files) {
                // Where the way back leads elsewhere, that is written down too.
                let path = format!("back{}", file.path);
                if case.join(&path).exists()
                    || (std::env::var_os("BLESS").is_some() && before.text != file.text)
                {
                    compare(&case, &path, &file.text);
                } else {
                    assert_eq!(before.text, file.text, "{} and back", case.display());
                }
            }
        }
    }
}
