//! Rules about one domain.

mod mac;
mod uuid;

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
    kn026_live_only,
}
