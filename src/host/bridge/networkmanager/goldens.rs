//! One lesson a folder in `fixtures/bridges/networkmanager`: the files of a host, what is asked, and the recipe.
//! `KVMNET_GOLDENS=write` writes the recipes anew.

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::path::{Path, PathBuf};

    use crate::host::Kind;
    use crate::host::bridge::{
        Address, Addresses, Ask, Backend, Fault, Host, HostDevice, HostFile, NetworkManager, Recipe,
    };

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bridges/networkmanager")
    }

    /// The files under `root`, in the order in which NetworkManager looks for them.
    fn files(root: &Path) -> Vec<HostFile> {
        let mut out = Vec::new();
        for top in ["etc", "run", "usr/lib"] {
            let path = format!("/{top}/NetworkManager/system-connections");
            let Ok(entries) = fs::read_dir(root.join(&path[1..])) else { continue };
            let mut names: Vec<String> =
                entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            out.extend(names.iter().map(|name| {
                let path = format!("{path}/{name}");
                HostFile { text: fs::read_to_string(root.join(&path[1..])).unwrap(), path }
            }));
        }
        out
    }

    /// What the lines of `ask` say; with `delete` it is about taking down.
    fn read(text: &str, files: Vec<HostFile>) -> (Host, Ask, bool) {
        let mut host = Host { files, ..Host::default() };
        host.there = vec!["nmcli".into(), "busctl".into()];
        let nic = |name: &str, mac: &str| HostDevice {
            name: name.into(),
            kind: Kind::Ethernet,
            mac: Some(mac.into()),
            permanent_mac: Some(mac.into()),
            driver: Some("igc".into()),
            ..HostDevice::default()
        };
        host.devices = vec![nic("enp4s0", "52:54:00:aa:00:04"), nic("enp5s0", "52:54:00:aa:00:05")];
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
        let mut is_delete = false;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["delete"] => is_delete = true,
                ["port", port] => ask.ports.push(port.to_string()),
                ["address", "keep"] => ask.addresses = Addresses::Keep,
                ["address", "dhcp"] => ask.addresses = Addresses::Dhcp,
                ["address", "none"] => ask.addresses = Addresses::None,
                ["address", nets @ ..] => {
                    ask.addresses = Addresses::Static(nets.iter().map(|net| net.parse().unwrap()).collect());
                }
                ["gateway", ip] => ask.gateways.push(ip.parse().unwrap()),
                ["dns", ip] => ask.dns.push(ip.parse().unwrap()),
                ["stp", delay] => (ask.stp, ask.forward_delay) = (true, delay.parse().unwrap()),
                ["mac", mac] => ask.mac = mac.to_string(),
                ["there", what] => host.there.push(what.to_string()),
                ["device", name, kind] => {
                    let kind = match *kind {
                        "bridge" => Kind::Bridge,
                        _ => Kind::Bond,
                    };
                    host.devices.push(HostDevice { name: name.to_string(), kind, ..HostDevice::default() });
                }
                ["active", device, uuid] => find(&mut host, device).nm_connection = Some(uuid.to_string()),
                ["shows", device, what, value] => {
                    let shown = &mut find(&mut host, device).nm_dhcp;
                    *match *what {
                        "client-id" => &mut shown.client_id,
                        "duid" => &mut shown.duid,
                        _ => &mut shown.iaid,
                    } = Some(value.to_string());
                }
                ["has", device, net, how @ ..] => find(&mut host, device).addresses.push(Address {
                    net: net.parse().unwrap(),
                    is_link: false,
                    is_dynamic: how == ["dynamic"],
                }),
                [] => {}
                other => panic!("{other:?}"),
            }
        }
        (host, ask, is_delete)
    }

    fn find<'a>(host: &'a mut Host, name: &str) -> &'a mut HostDevice {
        host.devices.iter_mut().find(|device| device.name == name).unwrap()
    }

    fn shown(result: &Result<Recipe, Fault>) -> String {
        let recipe = match result {
            Ok(recipe) => recipe,
            Err(fault) => return format!("fault: {}\nhelp: {}\n", fault.what, fault.help),
        };
        let mut out = String::new();
        for file in &recipe.files {
            match &file.after {
                Some(after) => out += &format!("=== {} {:o}\n{after}", file.path, file.mode),
                None => out += &format!("=== {} is removed\n", file.path),
            }
            if !out.ends_with('\n') {
                out += "\n\\ no newline at the end\n";
            }
        }
        let ways = [
            ("make before", &recipe.make.before),
            ("make", &recipe.make.after),
            ("unmake before", &recipe.unmake.before),
            ("unmake", &recipe.unmake.after),
        ];
        for (what, commands) in ways.iter().filter(|(_, commands)| !commands.is_empty()) {
            out += &format!("=== {what}\n");
            commands.iter().for_each(|command| out += &format!("{}\n", command.join(" ")));
        }
        let found = &recipe.found;
        let dhcp = if found.dhcp4 { " dhcp4" } else { "" };
        out += &format!("=== found\naddresses {:?} gateways {:?}{dhcp}\n", found.addresses, found.gateways);
        if !recipe.notes.is_empty() {
            out += &format!("=== notes\n{}\n", recipe.notes.join("\n"));
        }
        out
    }

    /// The files with what a recipe makes of them.
    fn applied(files: &[HostFile], recipe: &Recipe) -> Vec<HostFile> {
        let mut out = files.to_vec();
        for change in &recipe.files {
            let text = out.iter().find(|file| file.path == change.path).map(|file| file.text.clone());
            assert_eq!(text, change.before, "{}", change.path);
            out.retain(|file| file.path != change.path);
            let after = change.after.clone().map(|text| HostFile { path: change.path.clone(), text });
            out.extend(after);
        }
        out.sort_by(|a, b| a.path.cmp(&b.path));
        out
    }

    /// Where making and taking down don't lead back to the byte: a key was added that may as well have been there
    /// (a priority, a name), a second port's addresses are gone, or the bridge was there before.
    const NOT_TO_THE_BYTE: &[&str] = &[
        "rival-profile",
        "static-for-any-nic",
        "there-and-one-port-more",
        "started-by-hand-so-far",
        "there-and-exactly-so",
        "there-but-stp-differs",
        "two-ports-both-static",
    ];

    #[test]
    fn every_lesson() {
        let mut faults = Vec::new();
        let mut cases: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
        cases.sort();
        assert!(cases.len() > 5);
        for case in cases {
            let name = case.file_name().unwrap().to_str().unwrap();
            let (host, ask, is_delete) = read(&fs::read_to_string(case.join("ask")).unwrap(), files(&case));
            let backend = NetworkManager;
            let result = match is_delete {
                true => backend.take_down(&host, &ask.bridge),
                false => backend.make(&host, &ask),
            };
            let got = shown(&result);
            if std::env::var("KVMNET_GOLDENS").is_ok_and(|word| word == "write") {
                fs::write(case.join("recipe"), &got).unwrap();
            }
            let wanted = fs::read_to_string(case.join("recipe")).unwrap_or_default();
            if got != wanted {
                faults.push(format!("--- {name}: wanted\n{wanted}--- {name}: got\n{got}"));
            }
            let Ok(recipe) = result else { continue };
            if is_delete {
                continue;
            }
            // A second run finds nothing to do.
            let mut after = host.clone();
            after.files = applied(&host.files, &recipe);
            after.devices.iter_mut().for_each(|device| device.nm_connection = None);
            let again = backend.make(&after, &ask).unwrap();
            let nothing =
                again.files.is_empty() && again.make.after.is_empty() && again.unmake.after.is_empty();
            if !nothing {
                faults.push(format!("--- {name}: again\n{}", shown(&Ok(again))));
            }
            // And the way back leads to where it began.
            let down = backend.take_down(&after, &ask.bridge).unwrap();
            let back = applied(&after.files, &down);
            let mut first = host.files.clone();
            first.sort_by(|a, b| a.path.cmp(&b.path));
            let is_kept = !NOT_TO_THE_BYTE.contains(&name) && ask.addresses == Addresses::Keep;
            if is_kept && ask.gateways.is_empty() && ask.dns.is_empty() && back != first {
                faults.push(format!("--- {name}: back\n{}", shown(&Ok(down))));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
