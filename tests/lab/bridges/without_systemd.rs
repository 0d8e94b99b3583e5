//! Where systemd doesn't run, a process of its own waits for the moment; it outlives kvmnet, its terminal and its session.

use super::{as_before, is_put_back, site, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan};
use crate::site::say;

with_every_backend! { nobody_confirms }

/// kvmnet takes systemd for not running: what tells that is hidden from it.
fn nobody_confirms(flavour: Flavour) {
    if let Flavour::Netplan | Flavour::Networkd = flavour {
        say(&format!("NOT RUN: {flavour:?} is a part of systemd, or nothing without it"));
        return;
    }
    let Some(lan) = Lan::start_v4() else { return };
    for addresses in [Addresses::Static4, Addresses::Dhcp4] {
        let (machine, before, mut connection) = site(&lan, flavour, addresses);
        let create = "mount -t tmpfs none /run/systemd && exec script -qec \
                      'kvmnet host bridge create br0 --port enp4s0 -y --timeout 25' /dev/null";
        let out = machine.run(&["unshare", "-m", "sh", "-c", create]);
        out.ok().says(&["not by itself after a power cut"]);
        assert!(!machine.has("/etc/systemd/system/kvmnet-put-back.service"));
        assert!(machine.has("/sys/class/net/br0"));
        is_put_back(&machine);
        as_before(&machine, &before, &mut connection);
    }
}
