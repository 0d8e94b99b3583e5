//! Rules about all files together.

mod kinds;
mod segment;
mod twice;

super::rules! {
    kn200_network_unknown,
    kn201_portgroup_unknown,
    kn202_floor_refused,
    kn203_vlan_on_network,
    kn204_virtualport_on_network,
    kn205_no_bridge_port,
    kn210_guest_name_twice,
    kn211_guest_uuid_twice,
    kn212_guest_twice,
    kn213_mac_of_two_guests,
    kn220_network_name_twice,
    kn221_network_uuid_twice,
    kn222_network_twice,
    kn223_bridge_twice,
    kn224_bridge_of_two_kinds,
    kn225_guest_on_virtual_bridge,
    kn226_subnets_overlap,
    kn227_reserved_for_nobody,
}

/// What to do where files clash that may be for two hosts.
const ONE_HOST: &str =
    "if they are for two hosts, name the folders of each in kvmnet.toml: sets = ['hosts/*']";
