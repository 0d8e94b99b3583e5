//! Whatever goes wrong while a bridge is taken down, it stands as it did.

use super::{
    DELETE, LONG, as_before, bridged, in_little_time, is_put_back, lan_for, nothing_is_left, own_file, turn,
    with_every_backend,
};
use crate::machine::Flavour;

with_every_backend! { goes_wrong }

/// Nobody confirms; the disk is full from the start, or when it is put back; the power goes.
pub(super) fn goes_wrong(flavour: Flavour) {
    let addresses = turn(flavour, 2);
    let Some(lan) = lan_for(addresses) else { return };
    let (mut machine, before, mut connection) = bridged(&lan, flavour, addresses);
    let (path, text, _) = own_file(flavour, addresses);
    let deleted = |time: &[&str]| machine.kvmnet_over(&connection, &[&DELETE[..], time].concat());
    in_little_time(deleted, |out| out.code == 0).ok();
    is_put_back(&machine);
    as_before(&machine, &before, &mut connection);

    machine.fill();
    machine.kvmnet_over(&connection, &DELETE).exits(2).says(&["No space left", "os error 28"]);
    machine.unfill();
    as_before(&machine, &before, &mut connection);

    let line = [&DELETE[..], &LONG].concat();
    machine.kvmnet_over(&connection, &line).ok();
    assert!(!machine.has("/sys/class/net/br0"));
    assert_eq!(machine.text(path), text, "the file is as it was before there was a bridge");
    machine.fill();
    machine.kvmnet(&["host", "bridge", "revert"]).ok();
    as_before(&machine, &before, &mut connection);
    machine.unfill();

    machine.kvmnet_over(&connection, &line).ok();
    machine.reboot();
    machine.is_again(&before);
    nothing_is_left(&machine);
    machine.kvmnet(&["history"]).ok().says(&["started anew"]);
}
