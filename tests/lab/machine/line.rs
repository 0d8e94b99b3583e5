//! Connections from the peer to a machine, and how long it does not answer.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::{Lan, Machine};

/// What listens on a machine, as its ssh daemon would.
const PORT: u16 = 22;
/// How often it is looked whether a machine answers.
const OFTEN: Duration = Duration::from_millis(10);

/// An open connection from the peer to a machine, as that of somebody who works on it with ssh. What is sent comes back.
pub(crate) struct Connection {
    stream: TcpStream,
}

impl Connection {
    /// Whether a line that is sent comes back within ten seconds: TCP takes its time to send again.
    pub(crate) fn echoes(&mut self) -> bool {
        let mut back = [0; 6];
        let _ = self.stream.set_read_timeout(Some(Duration::from_secs(10)));
        self.stream.write_all(b"hello\n").is_ok()
            && self.stream.read_exact(&mut back).is_ok()
            && back == *b"hello\n"
    }

    /// Whether neither side has ended it, as far as the peer knows.
    pub(crate) fn is_alive(&self) -> bool {
        self.stream.set_nonblocking(true).expect("a socket can be set so");
        let seen = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).expect("a socket can be set so");
        match seen {
            Ok(bytes) => bytes > 0,
            Err(e) => e.kind() == ErrorKind::WouldBlock,
        }
    }

    /// What sshd tells in `SSH_CONNECTION` of such a connection.
    pub(crate) fn ssh(&self) -> String {
        let (here, there) = (self.stream.local_addr(), self.stream.peer_addr());
        let (here, there) = (here.expect("it is connected"), there.expect("it is connected"));
        format!("{} {} {} {}", here.ip(), here.port(), there.ip(), there.port())
    }
}

impl Lan {
    /// A connection from the peer to the machine's first address.
    #[track_caller]
    pub(crate) fn connection(&self, machine: &Machine<'_>) -> Connection {
        self.connection_to(machine.address())
    }

    /// A connection from the peer to this address.
    #[track_caller]
    pub(crate) fn connection_to(&self, address: IpAddr) -> Connection {
        let to = SocketAddr::new(address, PORT);
        let stream = self.there(|| TcpStream::connect_timeout(&to, Duration::from_secs(5)));
        Connection { stream: stream.unwrap_or_else(|e| panic!("no connection to {to}: {e}")) }
    }

    /// Does something, and gives the longest time in which the machine's first address did not answer the peer, from
    /// the beginning until it answers after the end. Says it, too.
    #[track_caller]
    pub(crate) fn outage(&self, machine: &Machine<'_>, work: impl FnOnce()) -> Duration {
        self.outages(machine, &[machine.address()], work)[0]
    }

    /// The same for several addresses of the machine.
    #[track_caller]
    pub(crate) fn outages(
        &self,
        machine: &Machine<'_>,
        addresses: &[IpAddr],
        work: impl FnOnce(),
    ) -> Vec<Duration> {
        let probing: Vec<AtomicBool> = addresses.iter().map(|_| AtomicBool::new(false)).collect();
        let done = AtomicBool::new(false);
        let longest: Vec<Option<Duration>> = thread::scope(|scope| {
            let mut probes = Vec::new();
            for (address, probing) in addresses.iter().zip(&probing) {
                let (done, to) = (&done, SocketAddr::new(*address, PORT));
                probes.push(scope.spawn(move || self.there(|| probe(to, probing, done))));
            }
            let is_ready = |(probe, probing): (&thread::ScopedJoinHandle<'_, _>, &AtomicBool)| {
                probing.load(Ordering::Relaxed) || probe.is_finished()
            };
            while !probes.iter().zip(&probing).all(is_ready) {
                thread::sleep(OFTEN);
            }
            // If the work fails, the probes must end all the same: this scope waits for them.
            let end = Finally(&done);
            work();
            drop(end);
            probes.into_iter().map(|probe| probe.join().expect("it doesn't panic")).collect()
        });
        let said = |(address, longest): (&IpAddr, Option<Duration>)| {
            let longest = longest.unwrap_or_else(|| panic!("{address} answers no more\n{}", machine.log()));
            eprintln!("{:?}: {address} did not answer for {} ms", machine.flavour(), longest.as_millis());
            longest
        };
        addresses.iter().zip(longest).map(said).collect()
    }
}

/// Sets a flag when it goes.
struct Finally<'a>(&'a AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Sends a datagram every ten milliseconds until one is answered that was sent after `done`. Gives the longest time between
/// two answers (not between what they answer: a datagram may wait on its way until the address is found again); says in `probing` when the first was. Nothing if there is no answer for half a minute.
fn probe(to: SocketAddr, probing: &AtomicBool, done: &AtomicBool) -> Option<Duration> {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).expect("there are ports left");
    let _ = socket.connect(to);
    let began = Instant::now();
    let now = || began.elapsed().as_micros() as u64;
    let (mut longest, mut answered, mut finished) = (0, now(), None);
    loop {
        if finished.is_none() && done.load(Ordering::Relaxed) {
            finished = Some(now());
        }
        let sent = now();
        // An address that can't be reached just now makes an error of it, which is no answer.
        let _ = socket.send(&sent.to_be_bytes());
        loop {
            let left = OFTEN.saturating_sub(Duration::from_micros(now() - sent));
            if left.is_zero() {
                break;
            }
            let _ = socket.set_read_timeout(Some(left));
            let mut back = [0; 8];
            match socket.recv(&mut back) {
                Ok(8) => {
                    let echoed = u64::from_be_bytes(back);
                    longest = longest.max(now() - answered);
                    answered = now();
                    probing.store(true, Ordering::Relaxed);
                    if finished.is_some_and(|finished| echoed >= finished) {
                        return Some(Duration::from_micros(longest));
                    }
                }
                // An error is told at once, again and again: not a reason to ask faster.
                Err(e) if e.kind() != ErrorKind::WouldBlock => thread::sleep(Duration::from_millis(1)),
                _ => {}
            }
        }
        if now() - answered > 30_000_000 {
            return None;
        }
    }
}
