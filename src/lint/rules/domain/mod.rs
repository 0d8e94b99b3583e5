//! Rules about one domain.

pub(super) mod machine;

use super::{bandwidth, device, mac, mistyped, mtu, number, pci, text, uuid, virtualport, vlan, word, words};

pub(in crate::lint) use kn016_interface_type::{TYPES, called};

/// The rules about NICs that hold whatever its type is. The others wait until that is said and spelled rightly: their
/// fixes would take away what belongs to the type that is meant.
pub(in crate::lint) const OF_ANY_TYPE: &[&str] =
    &["KN010", "KN011", "KN012", "KN014", "KN016", "KN037", "KN038", "KN040", "KN043", "KN057"];

pub(in crate::lint) use kn016_interface_type::is_known as is_known_type;
pub(in crate::lint) use kn038_element_twice::twins;

super::rules! {
    kn010_mac_malformed,
    kn011_mac_multicast,
    kn012_mac_reserved,
    kn013_mac_twice,
    kn014_device_name,
    kn015_source_missing,
    kn016_interface_type,
    kn017_direct_without_mode,
    kn018_filterref,
    kn019_mtu_refused,
    kn020_coalesce_refused,
    kn021_isolated_refused,
    kn022_bandwidth_refused,
    kn023_vlan_refused,
    kn024_virtualport_refused,
    kn025_boot_order,
    kn026_live_only,
    kn027_live_domain,
    kn028_plain_password,
    kn029_model,
    kn030_driver_dropped,
    kn031_address_refused,
    kn032_script_refused,
    kn033_port_forward_refused,
    kn034_teaming_refused,
    kn035_unmanaged_target,
    kn036_leftover_source,
    kn037_mistyped,
    kn038_element_twice,
    kn039_same_address,
    kn040_bad_value,
    kn041_internal,
    kn043_type_missing,
    kn044_filter_on_port,
    kn045_bandwidth_ignored,
    kn046_driver_refused,
    kn047_no_partner,
    kn049_no_shared_memory,
    kn050_domain_name,
    kn051_uuid_malformed,
    kn052_memory_missing,
    kn053_mtu_range,
    kn054_pci_address,
    kn055_virtualport_ignored,
    kn056_nic_lost,
    kn057_text_ignored,
    kn058_vhostuser_refused,
    kn059_domain_type,
    kn060_machine_refused,
    kn061_target_taken,
    kn062_rom_refused,
    kn063_socket_address,
    kn064_socket_port,
    kn065_passthrough_shared,
}
