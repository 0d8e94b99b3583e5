//! kvmnet moves KVM guests between libvirt networks, host bridges and macvtap.
