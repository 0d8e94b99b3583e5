//! Any bytes at all, taken for a network's definition and changed to each mode.
//!
//! Whatever the bytes are, nothing panics. Where they are a network's XML and a mode can be had: undoing the edits gives
//! the original to the byte, the result is a network of that mode, and a second change finds nothing to do.
#![no_main]

use kvmnet::model::Network;
use kvmnet::net::{Ask, HostDevice, Mode, Surroundings, meaning, notes, reachability, satisfies, set_mode};
use kvmnet::xml::Doc;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = Doc::decode(data) else { return };
    let Ok(doc) = Doc::parse(text) else { return };
    let Ok(network) = Network::read(&doc) else { return };
    let bridge = HostDevice { name: "br0".into(), is_bridge: true, ..HostDevice::default() };
    let around = Surroundings {
        devices: Some(vec![bridge]),
        networks: vec![network.clone()],
        ..Surroundings::default()
    };
    let _ = (reachability(&network, &around), meaning(&network), notes(&network, &around));
    for (mode, host_access) in Mode::ALL.into_iter().zip([false; 5]).chain([(Mode::Isolated, true)]) {
        let bridge = (mode == Mode::Bridge).then(|| "br0".parse().expect("a device name"));
        let ask = Ask { name: Some(network.name.clone()), host_access, bridge, ..Ask::new(mode) };
        let _ = satisfies(&network, &ask);
        let Ok(edits) = set_mode(&doc, &ask, &around, &mut Vec::new()) else { continue };
        let after = edits.apply(text);
        assert_eq!(edits.invert(text).apply(&after), text, "undoing gives another text");
        let again = Doc::parse(&after).unwrap_or_else(|e| panic!("the result is no XML: {e}\n{after}"));
        let read = Network::read(&again).unwrap_or_else(|e| panic!("the result is no network: {e}\n{after}"));
        assert_eq!(read.mode.as_str(), mode.as_str(), "another mode was asked for:\n{after}");
        let around = Surroundings { networks: vec![read], ..around.clone() };
        if let Ok(second) = set_mode(&again, &ask, &around, &mut Vec::new()) {
            assert!(second.is_empty(), "a second change changes:\n{after}");
        }
    }
});
