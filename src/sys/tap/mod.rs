//! Listening on guests' taps for the addresses that they get.
//!
//! On a host bridge nobody need tell this host a guest's address: its DHCP server is somewhere else, and the host's
//! neighbour table knows only those that the host talks with. But all that the guest says and hears passes its own tap.
//!
//! No thread listens. What matters waits in two sockets of each tap, of bounded size and behind filters in the kernel, until
//! somebody asks: in one the little that gives a guest an address, in the other, which may run over, all that it sends. So
//! nothing can fall behind or hold up the end, and a busy guest costs nothing.

mod frame;
mod heard;
#[cfg(feature = "libvirt")]
mod socket;

use std::io;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use heard::Heard;

#[cfg(feature = "libvirt")]
use socket::Socket;

/// The taps that are listened on.
#[derive(Debug, Default)]
pub struct Ears(Vec<Ear>);

/// One NIC of one guest.
#[derive(Debug)]
struct Ear {
    uuid: String,
    mac: [u8; 6],
    sound: Mutex<(Vec<Socket>, Heard)>,
}

impl Ears {
    /// Listens on the tap of a guest's NIC from now on.
    ///
    /// # Errors
    /// There is no such device, or we may not (that takes `CAP_NET_RAW`).
    pub fn listen(&mut self, uuid: &str, mac: [u8; 6], tap: &str) -> io::Result<()> {
        let sockets = Socket::open(tap, mac)?;
        self.0.push(Ear { uuid: uuid.into(), mac, sound: Mutex::new((sockets, Heard::default())) });
        Ok(())
    }

    /// The NIC has moved: what was heard until now is of the old network.
    pub fn moved(&self, uuid: &str, mac: [u8; 6]) {
        self.with(uuid, mac, Heard::moved);
    }

    /// Is the NIC listened to?
    pub fn hear(&self, uuid: &str, mac: [u8; 6]) -> bool {
        self.0.iter().any(|ear| ear.uuid == uuid && ear.mac == mac)
    }

    /// The addresses that the NIC has got since it moved; `known` are some of those from before.
    pub fn new_addresses(&self, uuid: &str, mac: [u8; 6], known: &[IpAddr]) -> Vec<IpAddr> {
        self.with(uuid, mac, |heard| heard.new_addresses(known)).unwrap_or_default()
    }

    /// The addresses that the guest uses there since it moved and may well have had before.
    pub fn kept_addresses(&self, uuid: &str, mac: [u8; 6], known: &[IpAddr]) -> Vec<IpAddr> {
        self.with(uuid, mac, |heard| heard.kept_addresses(known)).unwrap_or_default()
    }

    /// After all that has waited was taken in.
    fn with<T>(&self, uuid: &str, mac: [u8; 6], then: impl FnOnce(&mut Heard) -> T) -> Option<T> {
        let ear = self.0.iter().find(|ear| ear.uuid == uuid && ear.mac == mac)?;
        let (sockets, heard) = &mut *ear.sound.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets {
            socket.drain(|bytes, way| {
                frame::signs(bytes, mac, way).into_iter().for_each(|sign| heard.take(sign));
            });
        }
        Some(then(heard))
    }
}

/// Without libvirt there are no guests to listen to.
#[cfg(not(feature = "libvirt"))]
#[derive(Debug)]
struct Socket;

#[cfg(not(feature = "libvirt"))]
impl Socket {
    fn open(_: &str, _: [u8; 6]) -> io::Result<Vec<Socket>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn drain(&mut self, mut each: impl FnMut(&[u8], frame::Way)) {
        for way in [frame::Way::FromGuest, frame::Way::ToGuest] {
            each(&[], way);
        }
    }
}
