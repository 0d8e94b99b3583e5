//! Making a change of the host's network: arm, write, run, verify.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::back::{PATIENCE, after_putting_back, in_the_way, open, put_back};
use super::record::{Phase, Window};
use super::verify::{Checked, NotFound, Want, check};
use crate::host::bridge::{Checkpoint, Command, FileChange, Way};
use crate::problem::{Problem, escaped};
use crate::sys::announce::announce;
use crate::sys::answers::{Ssh, answers, way_to};
use crate::sys::armed::{Alive, Armed, Boot};
use crate::sys::aside::Aside;
use crate::sys::files::is_in_memory;
use crate::sys::kept::Kept;
use crate::sys::netstate::{self, NetState};
use crate::sys::{clock, exec, interrupt};

/// By then DHCP has given an address, and STP has let a port forward, or neither will.
const MOST_PATIENCE: Duration = Duration::from_secs(45);

/// networkd believes that a device has the address that DHCP gave it, and the kernel hasn't, now and then, where it is told to
/// reconfigure a device at the very moment of the answer, as `netplan apply` tells it (systemd 252). It is told once more
/// each time that an address has been missing for so long.
const NETWORKD_LOSES: Duration = Duration::from_secs(10);

/// What a DHCP client writes, and nobody puts back when it goes.
const RESOLVER: &str = "/etc/resolv.conf";

/// A change of the host's network.
#[derive(Debug, Clone, Default)]
pub struct Deed {
    /// Tells it from others.
    pub id: String,
    /// The bridge that it is about.
    pub bridge: String,
    /// What it does, in words.
    pub headline: String,
    /// What configures the host.
    pub backend: String,
    /// The files.
    pub files: Vec<FileChange>,
    /// The commands around writing them.
    pub make: Way,
    /// The commands around putting them back.
    pub unmake: Way,
    /// The backend's own way back.
    pub checkpoint: Option<Checkpoint>,
    /// May commands fail? So it is where they undo something of which a part may be undone already; what is found
    /// afterwards tells.
    pub is_lenient: bool,
    /// Those at boot, after the files were put back.
    pub boot: Vec<Command>,
    /// The devices that it is about.
    pub devices: Vec<String>,
    /// What shall be found afterwards.
    pub want: Want,
    /// The device whose addresses and default routes go to [`Want::device`].
    pub takes_over: Option<String>,
    /// The admin's connection, if it is to survive.
    pub ssh: Option<Ssh>,
    /// Unless it is confirmed in that time, everything is put back.
    pub timeout: Duration,
    /// The folder of the journal in which it stands.
    pub journal: Option<PathBuf>,
    /// Commands that are said after it is confirmed.
    pub next: Vec<String>,
}

/// What is told while it is made.
pub type Progress<'a> = &'a dyn Fn(&str);

/// What was found afterwards.
#[derive(Debug, Clone)]
pub struct Verified {
    /// All that was looked at.
    pub checks: Vec<Checked>,
    /// When it is put back unless it is confirmed, in seconds since 1970.
    pub deadline: u64,
}

/// Makes a change, with its way back armed first. It is verified when this returns, and waits to be confirmed.
///
/// # Errors
/// Another one waits to be confirmed; the way back can't be armed; a file can't be written; a command fails; what is
/// wanted isn't found in time; or the process was asked to end. Everything is put back then; a [`super::NotAsBefore`] in
/// the error says that this didn't work out.
pub fn carry_out(deed: &Deed, progress: Progress<'_>) -> Result<Verified> {
    let armed = ready(deed)?;
    make(deed, &armed, progress).map_err(|e| {
        progress("putting everything back");
        after_putting_back(e, put_back(&armed, "it failed"))
    })
}

/// Where the way back will stand.
fn ready(deed: &Deed) -> Result<Armed> {
    if let Some(window) = open()? {
        return Err(in_the_way(&window));
    }
    if let Some(left) = Armed::found() {
        // Of one that was cut short before anything was touched, or after everything was done.
        put_back(&left, "it was cut short")?;
    }
    let armed = place()?;
    if deed.timeout < Duration::from_secs(1) {
        bail!("no time is left in which it could be confirmed");
    }
    Ok(armed)
}

/// Where the way back may stand: on a disk, if the files that it puts back are on one.
///
/// # Errors
/// There is no such place.
pub fn place() -> Result<Armed> {
    let armed = Armed::of_state().ok_or_else(|| {
        Problem::new("there is no place for the way back", "set KVMNET_STATE_DIR to say where it may stand")
    })?;
    if is_in_memory(armed.folder()) && !is_in_memory(Path::new("/etc")) {
        return Err(Problem::new(
            format!(
                "{} is in memory only: after a power cut the way back would be gone, and the change would stay for good",
                escaped(armed.folder())
            ),
            "let KVMNET_STATE_DIR name a folder on a disk, or unset it",
        ));
    }
    Ok(armed)
}

fn make(deed: &Deed, armed: &Armed, progress: Progress<'_>) -> Result<Verified> {
    let before = netstate::look(&deed.devices)?;
    let want = completed(deed, &before);
    let planned = |file: &FileChange| {
        let kept = Kept::plan(
            Path::new(&file.path),
            file.before.as_deref(),
            file.after.as_deref(),
            file.mode,
            &deed.id,
        );
        kept.with_context(|| format!("{} can't be written", file.path))
    };
    let files = deed.files.iter().map(planned).collect::<Result<Vec<_>>>()?;
    let begun = Instant::now();
    let deadline = clock::unix() + deed.timeout.as_secs();
    let mut window = Window {
        id: deed.id.clone(),
        bridge: deed.bridge.clone(),
        headline: deed.headline.clone(),
        backend: deed.backend.clone(),
        phase: Phase::Making,
        deadline,
        maker: Alive::this(),
        putter: None,
        files,
        // One that can't be read is nothing that could be put back.
        asides: Aside::plan(Path::new(RESOLVER), &deed.id).unwrap_or_default(),
        unmake: deed.unmake.clone(),
        checkpoint: deed.checkpoint.clone().map(|checkpoint| (checkpoint, None)),
        boot: deed.boot.clone(),
        devices: deed.devices.clone(),
        before,
        ssh: deed.ssh.clone(),
        boot_of: Boot::this(),
        alarm: None,
        begun: false,
        journal: deed.journal.clone(),
        next: deed.next.clone(),
    };
    window.write(armed)?;
    let alarm = armed.arm(&deed.id, deed.timeout).context("the way back can't be armed")?;
    if !alarm.is_armed() {
        bail!("the way back was armed, but nothing waits for its moment");
    }
    window.alarm = Some(alarm);
    window.write(armed)?;
    progress(&format!("the way back is armed: {} s", deed.timeout.as_secs()));
    for kept in &window.files {
        let path = || escaped(&kept.path);
        if !kept.is_as_planned().with_context(path)? {
            return Err(Problem::new(
                format!("{} has changed since the preview was made", path()),
                "run the same command again and look at the new preview",
            ));
        }
        kept.prepare().with_context(|| format!("{} can't be written", path()))?;
    }
    window.asides.iter().for_each(Aside::prepare);
    window.begun = true;
    window.write(armed)?;
    let goes_on = || goes_on(armed, &deed.id);
    if let Some((checkpoint, name)) = &mut window.checkpoint {
        goes_on()?;
        // Kvmnet's own way back, which knows the files to the byte, comes first.
        let seconds = deed.timeout.as_secs().saturating_add(30).try_into().unwrap_or(u32::MAX);
        let printed = exec::run(&checkpoint.taken(seconds), PATIENCE)?;
        *name = Checkpoint::name(&printed).map(Into::into);
        window.write(armed)?;
    }
    let run = |argv: &Command| {
        progress(&argv.join(" "));
        match exec::run(argv, PATIENCE) {
            Err(e) if !deed.is_lenient => Err(e),
            _ => Ok(()),
        }
    };
    for argv in &deed.make.before {
        goes_on()?;
        run(argv)?;
    }
    for kept in &window.files {
        goes_on()?;
        progress(&format!("writing {}", escaped(&kept.path)));
        kept.exchange().with_context(|| format!("{} can't be written", escaped(&kept.path)))?;
    }
    for argv in &deed.make.after {
        goes_on()?;
        run(argv)?;
    }
    progress("verifying");
    // What is left is for the admin to come back in.
    let patience = deed.timeout.mul_f64(0.6).saturating_sub(begun.elapsed());
    let patience = patience.clamp(Duration::from_secs(1), MOST_PATIENCE);
    let checks = verified(deed, &window.before, &want, patience, &goes_on, progress)?;
    let lock = armed.lock()?;
    goes_on()?;
    window.phase = Phase::Waiting;
    window.write(armed)?;
    drop(lock);
    Ok(Verified { checks, deadline })
}

/// May this process still go on, or was it asked to end, or is everything being put back already?
fn goes_on(armed: &Armed, id: &str) -> Result<()> {
    if interrupt::requested() {
        bail!("interrupted");
    }
    match Window::read(armed)? {
        Some(window) if window.id == id && window.phase == Phase::Making => Ok(()),
        _ => bail!("its time was up before it was made"),
    }
}

/// What is wanted, with what the NIC has now that isn't in any file.
fn completed(deed: &Deed, before: &NetState) -> Want {
    let mut want = deed.want.clone();
    let Some(from) = &deed.takes_over else { return want };
    let was = before.device(from);
    if let Some(ssh) = &deed.ssh {
        let server = ssh.server.ip();
        let is_it = |cidr: &str| cidr.split('/').next().is_some_and(|ip| ip.parse() == Ok(server));
        want.settled.extend(was.filter(|d| d.addresses.iter().any(|a| is_it(&a.cidr))).map(|_| server));
    }
    let has_dhcp =
        was.is_some_and(|d| d.addresses.iter().any(|a| !a.cidr.contains(':') && a.valid.is_some()));
    want.dhcp4 |= has_dhcp && want.addresses.iter().all(|a| a.contains(':'));
    for gateway in before.gateways(from).iter().filter_map(|g| g.parse::<IpAddr>().ok()) {
        let of_family = |other: &IpAddr| other.is_ipv4() == gateway.is_ipv4();
        if !want.gateways.iter().any(of_family) {
            want.gateways.push(gateway);
        }
        // One that never answered has nothing to say about this change.
        let is_new = !want.answering.contains(&gateway);
        if is_new && want.gateways.contains(&gateway) && answers(gateway, from, Duration::from_millis(300)) {
            want.answering.push(gateway);
        }
    }
    want
}

/// Looks until everything is as wanted.
fn verified(
    deed: &Deed,
    before: &NetState,
    want: &Want,
    patience: Duration,
    goes_on: &dyn Fn() -> Result<()>,
    progress: Progress<'_>,
) -> Result<Vec<Checked>> {
    let until = Instant::now() + patience;
    let mut again = Instant::now() + NETWORKD_LOSES;
    let mut is_announced = false;
    loop {
        goes_on()?;
        let now = netstate::look(&deed.devices)?;
        if let "networkd" | "netplan" = deed.backend.as_str() {
            // networkd takes away the rules that it doesn't know; a VPN's have nothing to do with the bridge.
            now.rules_lost(before).iter().for_each(|rule| drop(rule.mend()));
        }
        let mut checks = check(want, &now);
        if let ("networkd" | "netplan", Some(device)) = (deed.backend.as_str(), &want.device)
            && lacks_address(&checks, device)
            && Instant::now() >= again
        {
            let argv = ["networkctl", "reconfigure", device].map(String::from);
            progress(&format!("{device} lacks an address: {}", argv.join(" ")));
            // It shows in what is found.
            drop(exec::run(&argv, PATIENCE));
            again = Instant::now() + NETWORKD_LOSES;
        }
        if checks.iter().all(|checked| checked.ok) {
            if !is_announced {
                announce(&now, Duration::ZERO);
                is_announced = true;
            }
            checks.extend(asked(deed, want));
        }
        if checks.iter().all(|checked| checked.ok) {
            return Ok(checks);
        }
        if Instant::now() >= until {
            return Err(anyhow::Error::new(NotFound { checks })
                .context(format!("the network isn't what was asked for after {} s", patience.as_secs())));
        }
        clock::sleep(Duration::from_millis(100));
    }
}

/// Is an address of the device wanted, and not found?
fn lacks_address(checks: &[Checked], device: &str) -> bool {
    let what = format!("address of {device}");
    checks.iter().any(|checked| !checked.ok && checked.what == what)
}

/// What is seen only by asking.
fn asked(deed: &Deed, want: &Want) -> Vec<Checked> {
    let mut out = Vec::new();
    let word = |ok: bool| if ok { "an answer" } else { "none" };
    for (address, dev) in want.answering.iter().zip(want.device.iter().cycle()) {
        let ok = answers(*address, dev, Duration::from_secs(1));
        out.push(Checked::new(format!("gateway {address} on {dev}"), "an answer", word(ok), ok));
    }
    if let Some(ssh) = &deed.ssh {
        let stands = ssh.stands();
        let what = format!("your connection from {}", ssh.client.ip());
        out.push(Checked::new(&what, "open", if stands { "open" } else { "closed" }, stands));
        let ok = way_to(ssh.client.ip())
            .is_some_and(|way| answers(way.next_hop(ssh.client.ip()), &way.dev, Duration::from_secs(1)));
        out.push(Checked::new(format!("the way to {}", ssh.client.ip()), "an answer", word(ok), ok));
    }
    out
}
