//! Rules about one domain.

super::rules! {
    kn010_mac_malformed,
    kn017_direct_without_mode,
}
