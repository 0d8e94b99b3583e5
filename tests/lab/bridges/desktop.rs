//! netplan that writes for NetworkManager: what the two do together, which neither does alone. With DHCPv6 the bridge gets
//! another address than the NIC had, and the preview says so: netplan has no word for the IAID.

use super::{backwards, disasters, killed, life, options, taken_down};
use crate::machine::Flavour;

macro_rules! on_a_desktop {
    ($($room:ident::$test:ident)*) => {$(
        #[test]
        fn $test() {
            $room::$test(Flavour::NetplanForManager);
        }
    )*};
}

on_a_desktop! {
    life::static_addresses
    life::dhcp4
    disasters::nobody_confirms
    killed::made_in_one_way
    killed::taken_down
    backwards::killed_while_it_is_put_back
    taken_down::goes_wrong
    options::an_mtu_and_a_foreign_route
}
