//! Numbers that come of names.

/// The UUID of a profile that kvmnet makes: always the same for the same names, so that a second run finds what the first
/// one made. Its version, 8, is the one for such private ways (RFC 9562, 5.8).
pub(super) fn uuid(names: &[&str]) -> String {
    // FNV-1a: no secrets are kept here.
    let mut hash: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    for byte in names.iter().flat_map(|name| ["\0".as_bytes(), name.as_bytes()]).flatten() {
        hash = (hash ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
    }
    let hash = hash & !(0xf << 76) & !(0x3 << 62) | (0x8 << 76) | (0x2 << 62);
    let hex = format!("{hash:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The IAID that NetworkManager shows to a DHCPv6 server for a device of this name, unless a profile says otherwise: the
/// name's SipHash-2-4, folded (`nm_utils_create_dhcp_iaid`, the same as systemd's).
pub(super) fn iaid(name: &str) -> u32 {
    const KEY: (u64, u64) = (0xee03_4afe_c28c_1180, 0x0914_3936_6f0c_d63e);
    let hash = siphash(KEY, name.as_bytes());
    u32::try_from(hash & 0xffff_ffff).unwrap_or_default() ^ u32::try_from(hash >> 32).unwrap_or_default()
}

fn siphash((k0, k1): (u64, u64), bytes: &[u8]) -> u64 {
    let mut v = [
        k0 ^ 0x736f_6d65_7073_6575,
        k1 ^ 0x646f_7261_6e64_6f6d,
        k0 ^ 0x6c79_6765_6e65_7261,
        k1 ^ 0x7465_6462_7974_6573,
    ];
    let mut words: Vec<u64> = Vec::new();
    let chunks = bytes.chunks_exact(8);
    let rest = chunks.remainder();
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    words.extend(chunks.map(word));
    words.push(word(rest) | (bytes.len() as u64) << 56);
    for m in words {
        v[3] ^= m;
        round(&mut v);
        round(&mut v);
        v[0] ^= m;
    }
    v[2] ^= 0xff;
    for _ in 0..4 {
        round(&mut v);
    }
    v[0] ^ v[1] ^ v[2] ^ v[3]
}

fn round(v: &mut [u64; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[0];
    v[0] = v[0].rotate_left(32);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(16) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(21) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(17) ^ v[2];
    v[2] = v[2].rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_names() {
        let one = uuid(&["bridge", "br0"]);
        assert_eq!(one, uuid(&["bridge", "br0"]));
        assert_ne!(one, uuid(&["bridg", "ebr0"]));
        assert_eq!((one.len(), &one[14..15]), (36, "8"));
        assert!("89ab".contains(&one[19..20]));
        // As NetworkManager 1.42.4 wrote them down in /run/NetworkManager/devices.
        assert_eq!(iaid("enp4s0"), 227_970_921);
        assert_eq!(iaid("enp5s0"), 0x4972_1f47);
    }
}
