//! Packet sockets (`packet(7)`): the kernel's copies of the frames on one device.

use std::ffi::CString;
use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_int, sock_filter, socklen_t};

use super::frame::Way;

/// So much of a frame is copied for what gives a guest an address: a whole one without jumbo.
const WHOLE: u32 = 1514;
/// And so much for what only names its sender: the headers up to IPv6's, with two tags.
const HEADERS: u32 = 128;
/// So many bytes may wait in the kernel, which counts some for itself (about a thousand a frame).
const ROOM: [c_int; 2] = [128 << 10, 16 << 10];
/// So many frames are taken at a time; there is no room for more.
const MOST: usize = 1024;

/// One of them.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    /// The two that listen on `tap` to the NIC with the address `mac`.
    pub(super) fn open(tap: &str, mac: [u8; 6]) -> io::Result<Vec<Socket>> {
        let name = CString::new(tap)?;
        // SAFETY: the string ends with NUL and lives for the call.
        let index = unsafe { libc::if_nametoindex(name.as_ptr()) };
        let index = c_int::try_from(index).ok().filter(|index| *index > 0);
        let index = index.ok_or_else(io::Error::last_os_error)?;
        let filters = [filter(&getting(mac), WHOLE), filter(&[sent_by(mac)], HEADERS)];
        filters.iter().zip(ROOM).map(|(filter, room)| Socket::on(index, filter, room)).collect()
    }

    fn on(index: c_int, filter: &[sock_filter], room: c_int) -> io::Result<Socket> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: plain numbers; the result is checked. With protocol 0 nothing comes before it is bound.
        let fd = checked(unsafe { libc::socket(libc::AF_PACKET, kind, 0) })?;
        // SAFETY: the descriptor was just made, and nobody else has it.
        let socket = Socket(unsafe { OwnedFd::from_raw_fd(fd) });
        let length = u16::try_from(filter.len()).map_err(io::Error::other)?;
        let program = libc::sock_fprog { len: length, filter: filter.as_ptr().cast_mut() };
        socket.set(libc::SO_ATTACH_FILTER, &program)?;
        socket.set(libc::SO_RCVBUF, &room)?;
        // SAFETY: it is made of numbers and arrays of them, for which zero is a value.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        address.sll_family = libc::AF_PACKET as u16;
        // Only who listens to all protocols hears both ways.
        address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
        address.sll_ifindex = index;
        let length = size_of::<libc::sockaddr_ll>() as socklen_t;
        // SAFETY: the address lives for the call and has that length.
        checked(unsafe { libc::bind(fd, (&raw const address).cast(), length) })?;
        Ok(socket)
    }

    /// Sets an option of the socket layer. `T` is what the kernel takes for this one, and any pointer in it is good.
    fn set<T>(&self, option: c_int, value: &T) -> io::Result<()> {
        let (fd, length) = (self.0.as_raw_fd(), size_of::<T>() as socklen_t);
        // SAFETY: the value lives for the call and has that length; the kernel only reads it.
        checked(unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, (&raw const *value).cast(), length) })
            .map(drop)
    }

    /// Takes out what has waited, without waiting for more.
    pub(super) fn drain(&mut self, mut each: impl FnMut(&[u8], Way)) {
        let mut bytes = [0; WHOLE as usize];
        for _ in 0..MOST {
            match self.receive(&mut bytes) {
                Ok((length, way)) => each(&bytes[..length], way),
                // The device was down meanwhile.
                Err(e) if [Some(libc::ENETDOWN), Some(libc::EINTR)].contains(&e.raw_os_error()) => {}
                Err(_) => break,
            }
        }
    }

    fn receive(&self, bytes: &mut [u8]) -> io::Result<(usize, Way)> {
        // SAFETY: as above.
        let mut address: libc::sockaddr_ll = unsafe { zeroed() };
        let mut size = size_of::<libc::sockaddr_ll>() as socklen_t;
        let (fd, flags) = (self.0.as_raw_fd(), libc::MSG_DONTWAIT);
        let (buffer, room) = (bytes.as_mut_ptr().cast(), bytes.len());
        // SAFETY: buffer and address live for the call, may be written to, and have those lengths.
        let length =
            unsafe { libc::recvfrom(fd, buffer, room, flags, (&raw mut address).cast(), &raw mut size) };
        let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
        let way = if address.sll_pkttype == libc::PACKET_OUTGOING { Way::ToGuest } else { Way::FromGuest };
        Ok((length.min(room), way))
    }
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Instructions that load a number, and what it must be.
type Check = (Vec<sock_filter>, u32);

fn op(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// The number at a place in the frame is this one.
fn is(size: u32, place: u32, value: u32) -> Check {
    (vec![op(libc::BPF_LD | size | libc::BPF_ABS, place)], value)
}

/// The number at a place behind IPv4's header is this one.
fn is_behind_ipv4(size: u32, place: u32, value: u32) -> Check {
    let length = op(libc::BPF_LDX | libc::BPF_B | libc::BPF_MSH, ETHERNET);
    (vec![length, op(libc::BPF_LD | size | libc::BPF_IND, ETHERNET + place)], value)
}

const ETHERNET: u32 = 14;
const UDP: u32 = 8;
use libc::{BPF_B as BYTE, BPF_H as HALF, BPF_W as WORD};

/// A MAC address as numbers of four and of two bytes.
fn halves([a, b, c, d, e, f]: [u8; 6]) -> (u32, u32) {
    (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([0, 0, e, f]))
}

/// Frames that come from that address.
fn sent_by(mac: [u8; 6]) -> Vec<Check> {
    let (first, last) = halves(mac);
    vec![is(WORD, 6, first), is(HALF, 10, last)]
}

/// The few kinds of frames that give a guest an address. That the kernel looks only roughly doesn't matter: what it lets
/// pass is read anew.
fn getting(mac: [u8; 6]) -> Vec<Vec<Check>> {
    let (first, last) = halves(mac);
    let not_a_later_fragment = {
        let mask = op(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0x1fff);
        let (mut load, value) = is(HALF, ETHERNET + 6, 0);
        load.push(mask);
        (load, value)
    };
    let dhcp = vec![
        is(HALF, 12, 0x0800),
        is(BYTE, ETHERNET + 9, 17),
        not_a_later_fragment,
        is_behind_ipv4(HALF, 2, 68),
        is_behind_ipv4(WORD, UDP + 28, first),
        is_behind_ipv4(HALF, UDP + 32, last),
    ];
    let icmp6 = |kind| vec![is(HALF, 12, 0x86dd), is(BYTE, ETHERNET + 6, 58), is(BYTE, ETHERNET + 40, kind)];
    let router = icmp6(134);
    // From `::`, as only who asks whether an address is free sends it.
    let nobody = [is(WORD, ETHERNET + 8, 0), is(WORD, ETHERNET + 20, 0)];
    let probe = [icmp6(135), sent_by(mac), nobody.into()].concat();
    // The kernel takes a frame's tag off before we see it, so these have two.
    let tagged = [0x8100, 0x88a8].map(|tag| vec![is(HALF, 12, tag)]);
    [vec![dhcp, router, probe], tagged.into()].concat()
}

/// A filter for frames that pass all checks of one of the alternatives; so much is kept of them.
fn filter(alternatives: &[Vec<Check>], length: u32) -> Vec<sock_filter> {
    let mut program = Vec::new();
    for checks in alternatives {
        let mut left: usize = checks.iter().map(|(load, _)| load.len() + 1).sum();
        for (load, value) in checks {
            program.extend(load);
            left -= load.len() + 1;
            // Else past the rest of them and the `RET`.
            let past = u8::try_from(left + 1).unwrap_or(u8::MAX);
            let jump = op(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, *value);
            program.push(sock_filter { jf: past, ..jump });
        }
        program.push(op(libc::BPF_RET | libc::BPF_K, length));
    }
    program.push(op(libc::BPF_RET | libc::BPF_K, 0));
    program
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Runs a filter as the kernel does: how much of the frame is kept.
    fn run(program: &[sock_filter], frame: &[u8]) -> u32 {
        let (mut a, mut x, mut next) = (0, 0, 0);
        loop {
            let sock_filter { code, jf, k, .. } = program[next];
            next += 1;
            let (code, mode) = (u32::from(code), u32::from(code) & 0xe0);
            let place = k as usize + if mode == libc::BPF_IND { x } else { 0 };
            match code & 7 {
                libc::BPF_LDX => x = usize::from(frame[place] & 0xf) * 4,
                libc::BPF_LD => {
                    let length = [(WORD, 4), (HALF, 2), (BYTE, 1)].iter().find(|(s, _)| *s == code & 0x18);
                    let Some(bytes) = frame.get(place..place + length.unwrap().1) else { return 0 };
                    a = bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte));
                }
                libc::BPF_ALU => a &= k,
                libc::BPF_JMP if a != k => next += usize::from(jf),
                libc::BPF_JMP => {}
                _ => return k,
            }
        }
    }

    #[test]
    fn only_what_matters_passes_the_filters() {
        let (mac, other) = ([0x52, 0x54, 0, 0, 0, 1], [0x52, 0x54, 0, 0, 0, 2]);
        let (getting, sending) = (filter(&getting(mac), WHOLE), filter(&[sent_by(mac)], HEADERS));
        let frame = |from: [u8; 6], kind: [u8; 2], bytes: &[(usize, &[u8])]| {
            let mut frame = [&[0xff; 6][..], &from, &kind, &[0; 300]].concat();
            bytes.iter().for_each(|(at, what)| frame[14 + at..][..what.len()].copy_from_slice(what));
            frame
        };
        let dhcp = |head: u8, fragment: u8, port: u8, client: &[u8]| {
            let udp = usize::from(head & 0xf) * 4;
            let ports: &[u8] = &[0, 67, 0, port];
            let bytes = [(0, &[head][..]), (7, &[fragment]), (9, &[17]), (udp, ports), (udp + 36, client)];
            frame(other, [8, 0], &bytes)
        };
        let icmp6 = |from, kind: u8, source: u8| {
            frame(from, [0x86, 0xdd], &[(6, &[58]), (8, &[source]), (40, &[kind])])
        };
        for (what, frame, gets, sends) in [
            ("DHCP", dhcp(0x45, 0, 68, &mac), true, false),
            ("DHCP behind options", dhcp(0x48, 0, 68, &mac), true, false),
            ("another's DHCP", dhcp(0x45, 0, 68, &other), false, false),
            ("a later fragment", dhcp(0x45, 9, 68, &mac), false, false),
            ("another port", dhcp(0x45, 0, 69, &mac), false, false),
            ("a router", icmp6(other, 134, 0xfe), true, false),
            ("its probe", icmp6(mac, 135, 0), true, true),
            ("its question", icmp6(mac, 135, 0xfe), false, true),
            ("another's probe", icmp6(other, 135, 0), false, false),
            ("its ARP", frame(mac, [8, 6], &[]), false, true),
            ("another's ARP", frame(other, [8, 6], &[]), false, false),
            ("two tags", frame(other, [0x81, 0], &[]), true, false),
        ] {
            assert_eq!(run(&getting, &frame), if gets { WHOLE } else { 0 }, "{what}");
            assert_eq!(run(&sending, &frame), if sends { HEADERS } else { 0 }, "{what}");
        }
    }
}
