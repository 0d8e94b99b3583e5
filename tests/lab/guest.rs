//! Guests that boot: Linux with busybox, a DHCP client on every NIC, and a shell that the test can reach.
//!
//! The kernel, its modules and busybox are what `cargo xtask guest` has put into the target folder. A guest takes 128 MiB,
//! is emulated, and takes commands about four seconds after its start.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::initramfs::Archive;
use super::{Lab, refuse, xml};

/// The first process in a guest; see there.
const INIT: &str = include_str!("guest.sh");
/// For how long a guest is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A guest that can be booted.
pub(crate) struct Guest {
    name: String,
    /// Its `<interface>`s: `eth0`, `eth1`, … in it.
    nics: String,
}

impl Guest {
    /// A guest of this name with these NICs. Their MAC addresses must be like no other's in the lab.
    pub(crate) fn new(name: &str, nics: &[String]) -> Self {
        Self { name: name.into(), nics: nics.concat() }
    }

    /// The guest `vm1` with one NIC, on the network `name`, its MAC address that of [`xml::mac`] 1.
    pub(crate) fn on_network(name: &str) -> Self {
        Self::new("vm1", &[xml::on_network(name, 1)])
    }

    /// Its definition.
    fn xml(&self) -> String {
        let Self { name, nics } = self;
        format!(
            "<domain type='qemu'><name>{name}</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>\
             <os><type arch='x86_64'>hvm</type><kernel>/run/lab/vmlinuz</kernel><initrd>/run/lab/initramfs</initrd>\
             <cmdline>console=ttyS0 quiet panic=-1 mitigations=off nokaslr</cmdline></os>\
             <features><acpi/></features><devices>\
             <controller type='usb' model='none'/><memballoon model='none'/>{nics}\
             <serial type='file'><source path='/run/lab/{name}.console'/></serial>\
             <serial type='unix'><source mode='bind' path='/run/lab/{name}.shell'/></serial>\
             </devices></domain>"
        )
    }
}

impl Lab {
    /// A new lab in which [`Guest`]s can boot, or `None` (and a loud word) where none can be had.
    pub(crate) fn start_bootable() -> Option<Self> {
        let lab = Self::start()?;
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("lab-guest");
        if !home.join("vmlinuz").exists() {
            return refuse("there is no kernel for guests that boot; `cargo xtask guest` gets one");
        }
        // Where the target folder is, QEMU's user may not look.
        fs::copy(home.join("vmlinuz"), lab.path("/run/lab/vmlinuz")).expect("the kernel can be copied");
        fs::write(lab.path("/run/lab/initramfs"), initramfs(&home)).expect("the site's files can be written");
        Some(lab)
    }

    /// Defines a guest, starts it, and waits until it takes commands.
    #[track_caller]
    pub(crate) fn boot(&self, guest: &Guest) -> Booted<'_> {
        let [booted] = self.boot_all([guest]);
        booted
    }

    /// The same with several guests at the same time.
    #[track_caller]
    pub(crate) fn boot_all<const N: usize>(&self, guests: [&Guest; N]) -> [Booted<'_>; N] {
        let booted = guests.map(|guest| {
            self.define(&guest.xml());
            self.virsh(&["start", &guest.name]);
            Booted { lab: self, name: guest.name.clone() }
        });
        for guest in &booted {
            guest.wait();
        }
        booted
    }
}

/// What a guest boots into.
fn initramfs(home: &Path) -> Vec<u8> {
    let read = |path: PathBuf| fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "modules", "proc", "sys"] {
        archive.folder(folder);
    }
    archive.file("init", INIT.as_bytes());
    archive.file("bin/busybox", &read(home.join("busybox")));
    for module in fs::read_dir(home.join("modules")).expect("the modules are beside the kernel") {
        let module = module.expect("the modules can be listed");
        archive.file(&format!("modules/{}", module.file_name().to_string_lossy()), &read(module.path()));
    }
    archive.finish()
}

/// A guest that has booted. When it is started anew, [`Booted::wait`] for it.
pub(crate) struct Booted<'a> {
    lab: &'a Lab,
    name: String,
}

impl Booted<'_> {
    /// Waits until it takes commands.
    #[track_caller]
    pub(crate) fn wait(&self) {
        // Nobody hears what is said before the shell is there: it is said again.
        let step = Duration::from_millis(500);
        self.until("it takes commands", || self.ask(":", step).map(|_| ()));
    }

    /// Runs a command in it, insists that it succeeds, and gives what it said on either stream.
    #[track_caller]
    pub(crate) fn run(&self, command: &str) -> String {
        let (status, said) = self.try_run(command);
        assert!(status == 0, "{}: `{command}` ended with {status}:\n{said}", self.name);
        said
    }

    /// Runs a command in it; its status, and what it said on either stream.
    #[track_caller]
    pub(crate) fn try_run(&self, command: &str) -> (i32, String) {
        self.ask(command, PATIENCE).unwrap_or_else(|| self.give_up(&format!("it answers `{command}`")))
    }

    /// Its first NIC's IPv4 address, as soon as it has one that begins with `net`; any if that is empty.
    #[track_caller]
    pub(crate) fn address_in(&self, net: &str) -> String {
        self.until(&format!("it has an address in {net}…"), || {
            addresses(&self.run("ip -4 -o addr show dev eth0")).into_iter().find(|ip| ip.starts_with(net))
        })
    }

    /// Its first NIC's IPv4 address, as soon as it has one.
    #[track_caller]
    pub(crate) fn address(&self) -> String {
        self.address_in("")
    }

    /// Its first NIC's IPv6 address, as soon as a router has told it one; that of the link alone doesn't count.
    #[track_caller]
    pub(crate) fn address6(&self) -> String {
        self.until("it has an IPv6 address", || {
            addresses(&self.run("ip -6 -o addr show dev eth0 scope global")).into_iter().next()
        })
    }

    /// Whether something answers at `ip` within six seconds. (For the first four after a guest has come to a bridge with
    /// STP, as networks of libvirt's have, nothing passes.)
    #[track_caller]
    pub(crate) fn pings(&self, ip: &str) -> bool {
        let tries = format!("for i in 1 2 3 4 5 6; do ping -c 1 -W 1 {ip} && exit; done; exit 1");
        self.try_run(&tries).0 == 0
    }

    /// For how long its kernel has run, in seconds.
    #[track_caller]
    pub(crate) fn uptime(&self) -> f64 {
        let said = self.run("cut -d' ' -f1 /proc/uptime");
        said.trim().parse().unwrap_or_else(|e| panic!("{said:?} is no time: {e}"))
    }

    /// Waits for something.
    #[track_caller]
    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(found) = look() {
                return found;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        self.give_up(what)
    }

    #[track_caller]
    fn give_up(&self, what: &str) -> ! {
        let console = fs::read(self.lab.path(&format!("/run/lab/{}.console", self.name))).unwrap_or_default();
        let console = String::from_utf8_lossy(&console).replace('\r', "");
        panic!("{}: waited in vain until {what}; its console:\n{console}", self.name)
    }

    /// Has its shell run a command: its status and what it said, unless that takes longer than `patience`.
    fn ask(&self, command: &str, patience: Duration) -> Option<(i32, String)> {
        static ASKED: AtomicU32 = AtomicU32::new(0);
        let word = format!("@{}@", ASKED.fetch_add(1, Ordering::Relaxed));
        let end = Instant::now() + patience;
        let mut line = UnixStream::connect(self.lab.path(&format!("/run/lab/{}.shell", self.name))).ok()?;
        line.write_all(format!("{word} {command}\n").as_bytes()).ok()?;
        let (mut said, mut buf) = (Vec::new(), [0; 4096]);
        loop {
            let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            line.set_read_timeout(Some(left)).ok()?;
            match line.read(&mut buf).ok()? {
                0 => return None,
                n => said.extend_from_slice(&buf[..n]),
            }
            if let Some(answer) = answer(&String::from_utf8_lossy(&said), &word) {
                return Some(answer);
            }
        }
    }
}

/// The answer to the command that was given `word`, if all of it is in what the guest said.
fn answer(said: &str, word: &str) -> Option<(i32, String)> {
    let (_, rest) = said.split_once(&format!("{word}\n"))?;
    let (output, status) = rest.split_once(&format!("\n{word} "))?;
    let (status, _) = status.split_once('\n')?;
    Some((status.parse().ok()?, output.to_owned()))
}

/// The addresses in what `ip -o addr` says, but for those that the guest doesn't use yet.
fn addresses(list: &str) -> Vec<String> {
    let ready = list.lines().filter(|line| !line.contains("tentative"));
    let named =
        ready.filter_map(|line| line.split_whitespace().skip_while(|w| !w.starts_with("inet")).nth(1));
    named.filter_map(|address| address.split('/').next()).map(str::to_owned).collect()
}
