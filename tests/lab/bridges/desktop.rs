//! netplan that writes for NetworkManager: what the two do together, which neither does alone.

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
    life::dhcp_and_router_advertisements
    disasters::nobody_confirms
    killed::made_in_one_way
    killed::taken_down
    backwards::killed_while_it_is_put_back
    taken_down::goes_wrong
    options::an_mtu_and_a_foreign_route
}
