//! Folders in `fixtures/bridges/`: files before, what is asked, files afterwards.

#[cfg(test)]
pub(in crate::host::bridge) use tests::{apply, ask, every_folder, host};

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;
    use std::fmt::Write as _;
    use std::fs;
    use std::path::{Path, PathBuf};

    use crate::host::Kind;
    use crate::host::bridge::{Address, Addresses, Ask, Backend, Fault, Host, HostDevice, HostFile, Recipe};

    type Tree = BTreeMap<String, String>;

    fn tree(dir: &Path, below: &str, out: &mut Tree) {
        let Ok(entries) = fs::read_dir(dir) else { return };
        for entry in entries {
            let entry = entry.unwrap();
            let name = format!("{below}/{}", entry.file_name().to_str().unwrap());
            if entry.path().is_dir() {
                tree(&entry.path(), &name, out);
            } else {
                out.insert(name, fs::read_to_string(entry.path()).unwrap());
            }
        }
    }

    pub(in crate::host::bridge) fn nic(name: &str, mac: &str, index: u32) -> HostDevice {
        HostDevice {
            name: name.into(),
            kind: Kind::Ethernet,
            index,
            mac: Some(mac.into()),
            permanent_mac: Some(mac.into()),
            driver: Some("igc".into()),
            mtu: Some(1500),
            is_up: true,
            ..HostDevice::default()
        }
    }

    /// A host with two NICs.
    pub(in crate::host::bridge) fn host() -> Host {
        let lo = HostDevice { name: "lo".into(), kind: Kind::Loopback, index: 1, ..HostDevice::default() };
        let first = nic("enp4s0", "52:54:00:aa:00:04", 2);
        let first = HostDevice { dhcp_client_id: Some("ff12345678000200".into()), ..first };
        Host {
            devices: vec![lo, first, nic("enp5s0", "52:54:00:aa:00:05", 3)],
            there: vec!["networkctl".into(), "netplan".into()],
            ..Host::default()
        }
    }

    pub(in crate::host::bridge) fn ask() -> Ask {
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

    enum What {
        Make(Ask),
        TakeDown(String),
    }

    /// `make br0 enp4s0 enp5s0` or `delete br0`, and lines of a word and values: `addresses`, `gateways`, `dns`, `stp`,
    /// `there`, `mtu DEVICE N`, `vlan NAME PORT`, `up NAME ID` (a device that stands already, with its client id).
    fn read(text: &str, host: &mut Host) -> What {
        let mut what = What::TakeDown(String::new());
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((word, rest)) = words.split_first() else { continue };
            if let What::Make(ask) = &mut what {
                match *word {
                    "addresses" => {
                        ask.addresses = match rest[0] {
                            "dhcp" => Addresses::Dhcp,
                            "none" => Addresses::None,
                            _ => Addresses::Static(rest.iter().map(|net| net.parse().unwrap()).collect()),
                        }
                    }
                    "gateways" => ask.gateways = rest.iter().map(|ip| ip.parse().unwrap()).collect(),
                    "dns" => ask.dns = rest.iter().map(|ip| ip.parse().unwrap()).collect(),
                    "mac" => ask.mac = rest[0].into(),
                    "stp" => (ask.stp, ask.forward_delay) = (true, rest[0].parse().unwrap()),
                    _ => {}
                }
            }
            match *word {
                "make" => {
                    let ports = rest[1..].iter().map(ToString::to_string).collect();
                    what = What::Make(Ask { bridge: rest[0].into(), ports, ..ask() });
                }
                "delete" => what = What::TakeDown(rest[0].into()),
                "cloud-off" => host.cloud_is_off = true,
                "there" => host.there.extend(rest.iter().map(ToString::to_string)),
                "mtu" => {
                    host.devices.iter_mut().find(|d| d.name == rest[0]).unwrap().mtu = rest[1].parse().ok();
                }
                "id" => {
                    let device = host.devices.iter_mut().find(|d| d.name == rest[0]).unwrap();
                    device.dhcp_client_id = rest.get(1).map(ToString::to_string);
                }
                "ip" => {
                    let net = rest[1].parse().unwrap();
                    let device = host.devices.iter_mut().find(|d| d.name == rest[0]).unwrap();
                    device.addresses.push(Address { net, is_link: false, is_dynamic: true });
                }
                "vlan" => host.devices.push(HostDevice {
                    name: rest[0].into(),
                    kind: Kind::Vlan,
                    below: Some(rest[1].into()),
                    mac: Some("52:54:00:aa:00:04".into()),
                    index: 9,
                    ..HostDevice::default()
                }),
                "up" => {
                    host.devices.push(HostDevice {
                        name: rest[0].into(),
                        kind: Kind::Bridge,
                        mac: Some("52:54:00:aa:00:04".into()),
                        dhcp_client_id: rest.get(1).map(ToString::to_string),
                        index: 7,
                        ..HostDevice::default()
                    });
                }
                _ => {}
            }
        }
        what
    }

    fn told(result: &Result<Recipe, Fault>) -> String {
        let mut out = String::new();
        match result {
            Err(fault) => write!(out, "fault: {}\n help: {}\n", fault.what, fault.help).unwrap(),
            Ok(recipe) => {
                let ways = [
                    ("make before", &recipe.make.before),
                    ("make after", &recipe.make.after),
                    ("unmake before", &recipe.unmake.before),
                    ("unmake after", &recipe.unmake.after),
                ];
                for (when, command) in ways.iter().flat_map(|(when, all)| all.iter().map(move |c| (when, c)))
                {
                    writeln!(out, "{when}: {}", command.join(" ")).unwrap();
                }
                for address in &recipe.found.addresses {
                    writeln!(out, "found: {address}").unwrap();
                }
                if recipe.found.dhcp4 {
                    out.push_str("found: dhcp4\n");
                }
                for gateway in &recipe.found.gateways {
                    writeln!(out, "found: via {gateway}").unwrap();
                }
                for note in &recipe.notes {
                    writeln!(out, "note: {note}").unwrap();
                }
            }
        }
        out
    }

    pub(in crate::host::bridge) fn files(tree: &Tree) -> Vec<HostFile> {
        tree.iter().map(|(path, text)| HostFile { path: path.clone(), text: text.clone() }).collect()
    }

    pub(in crate::host::bridge) fn apply(host: &Host, recipe: &Recipe) -> Host {
        let mut tree: Tree = host.files.iter().map(|f| (f.path.clone(), f.text.clone())).collect();
        for change in &recipe.files {
            assert_eq!(tree.get(&change.path), change.before.as_ref(), "{}", change.path);
            assert_ne!(change.before, change.after, "{}", change.path);
            match &change.after {
                Some(text) => tree.insert(change.path.clone(), text.clone()),
                None => tree.remove(&change.path),
            };
        }
        Host { files: files(&tree), ..host.clone() }
    }

    /// Every folder. With `KVMNET_BLESS` set, what comes out is written down.
    pub(in crate::host::bridge) fn every_folder(backend: &dyn Backend) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bridges").join(backend.name());
        let mut folders: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|e| e.unwrap().path()).collect();
        folders.sort();
        assert!(!folders.is_empty());
        let is_blessed = std::env::var_os("KVMNET_BLESS").is_some();
        let mut faults = Vec::new();
        for folder in folders {
            let case = folder.file_name().unwrap().to_str().unwrap().to_string();
            let mut before = Tree::new();
            tree(&folder.join("before"), "", &mut before);
            let mut host = Host { files: files(&before), ..host() };
            let what = read(&fs::read_to_string(folder.join("ask")).unwrap(), &mut host);
            let result = match &what {
                What::Make(ask) => backend.make(&host, ask),
                What::TakeDown(bridge) => backend.take_down(&host, bridge),
            };
            let told = told(&result);
            let mut after = Tree::new();
            if let Ok(recipe) = &result {
                let done = apply(&host, recipe);
                after = done.files.iter().map(|f| (f.path.clone(), f.text.clone())).collect();
                if let What::Make(ask) = &what {
                    let again = backend.make(&done, ask).unwrap_or_else(|e| panic!("{case}: again: {e:?}"));
                    assert!(again.files.is_empty(), "{case}: a second run changes files: {:#?}", again.files);
                    let back = backend.take_down(&done, &ask.bridge);
                    let back = back.unwrap_or_else(|e| panic!("{case}: back: {e:?}"));
                    let is_lossy = folder.join("lossy").exists();
                    if !is_lossy && apply(&done, &back).files != host.files {
                        faults.push(format!("{case}: the way back gives {:#?}", apply(&done, &back).files));
                    }
                }
            }
            if is_blessed {
                let _ = fs::remove_dir_all(folder.join("after"));
                for (path, text) in &after {
                    let path = folder.join("after").join(&path[1..]);
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, text).unwrap();
                }
                fs::write(folder.join("told"), &told).unwrap();
                continue;
            }
            let mut wanted = Tree::new();
            tree(&folder.join("after"), "", &mut wanted);
            if wanted != after {
                faults.push(format!("{case}: wanted {wanted:#?}\nfound {after:#?}"));
            }
            let wanted = fs::read_to_string(folder.join("told")).unwrap_or_default();
            if wanted != told {
                faults.push(format!("{case}: wanted {wanted}\nfound {told}"));
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}
