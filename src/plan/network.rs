//! A libvirt network: read, changed as a whole, and taken back as a whole.
//!
//! All that libvirt keeps of a network is one text here, so that a change of any of it goes along the spine like every
//! other: three lines that say whether it runs, whether it starts with libvirt and whether it has a definition, and
//! then that definition. Putting such a text does in order what it takes: define first, for libvirt refuses bad XML
//! before anything is stopped; then stop; then start. Whatever fails, the text that stood before is put the same way.

use std::fmt;

use anyhow::{Context, Result, anyhow, bail};

use super::start::{can_start_again, cannot_start, may_make_bridges, not_in_the_way, unseen};
use super::taps;
use crate::model::{Network, Warning};
use crate::problem::{Problem, message};
use crate::sys::hypervisor::{Hypervisor, Reach};
use crate::sys::kernel;
use crate::sys::networks::NetworkState;
use crate::xml::{Doc, kept};

/// How a network stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Does it run?
    pub is_active: bool,
    /// Does it start with libvirt?
    pub autostarts: bool,
    /// Has it a definition that outlives it? If not, `xml` is what runs.
    pub is_persistent: bool,
    /// Its definition.
    pub xml: String,
}

const LINES: [&str; 3] = ["running: ", "starts with libvirt: ", "has a definition: "];

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (line, is) in LINES.iter().zip([self.is_active, self.autostarts, self.is_persistent]) {
            writeln!(f, "{line}{}", if is { "yes" } else { "no" })?;
        }
        f.write_str(&self.xml)
    }
}

impl Standing {
    /// Reads what [`Standing`] writes.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Standing> {
        let mut rest = text;
        let mut word = |line: &str| -> Option<bool> {
            let (first, more) = rest.split_once('\n')?;
            rest = more;
            first.strip_prefix(line).map(|word| word == "yes")
        };
        let said = LINES.map(&mut word);
        match said {
            [Some(is_active), Some(autostarts), Some(is_persistent)] => {
                Ok(Standing { is_active, autostarts, is_persistent, xml: rest.into() })
            }
            _ => bail!("the journal's words on the network can't be read"),
        }
    }

    /// How the network stands now; `None` if there is none of that name.
    ///
    /// # Errors
    /// libvirt can't be asked.
    pub fn read(host: &dyn Hypervisor, name: &str) -> Result<Option<Standing>> {
        let Some(state) = host.network(name)? else { return Ok(None) };
        let definition = host.network_definition(name)?;
        Ok(Some(Standing {
            is_active: state.is_active,
            autostarts: state.autostarts,
            is_persistent: definition.is_some(),
            xml: definition.unwrap_or(state.xml),
        }))
    }

    /// Refuses what can't be put where `now` stands, or would do harm there. Nothing is touched for that, so that a preview
    /// can say it too. What may do harm, and can't be seen to, is a warning that stops.
    ///
    /// # Errors
    /// A virtual network's bridge would have the name of a device that is there, or can't be made over this connection; or
    /// a network that runs couldn't start again. Or libvirt can't be asked.
    pub fn can_follow(
        &self,
        host: &dyn Hypervisor,
        now: Option<&Standing>,
        restart: bool,
    ) -> Result<Option<Warning>> {
        let to = Transition::new(now, self, restart);
        if !to.defines && !to.starts && !to.autostarts {
            return Ok(None);
        }
        let wanted = network_of(&self.xml)?;
        if to.starts && wanted.mode.is_virtual() {
            may_make_bridges(host)?;
        }
        let running = if to.runs { host.network(&wanted.name)? } else { None };
        let own = running.map(|state| network_of(&state.xml)).transpose()?;
        let bridge = own.as_ref().and_then(|own| own.bridge.clone());
        not_in_the_way(host, &self.xml, bridge.as_deref())?;
        if let Some(own) = own.filter(|_| to.starts) {
            can_start_again(host, &own, self)?;
        }
        let defined = now.map(|now| network_of(&now.xml)).transpose()?;
        let is_named_so = defined.is_some_and(|old| old.mode.is_virtual() && old.bridge == wanted.bridge);
        let is_fine = wanted.bridge == bridge || (is_named_so && !to.starts && !to.autostarts);
        Ok(unseen(host, &wanted, now.is_none()).filter(|_| !is_fine))
    }
}

/// Would libvirt do harm when it starts the network by itself?
///
/// # Errors
/// It would: a device has the name of its bridge. Or libvirt can't be asked.
pub fn check_autostart(host: &dyn Hypervisor, state: &NetworkState) -> Result<()> {
    match state.autostarts && !state.is_active {
        true => not_in_the_way(host, &state.xml, None),
        false => Ok(()),
    }
}

/// What it takes to get from one standing to another.
struct Transition {
    /// It runs before.
    runs: bool,
    /// Its definition is replaced.
    defines: bool,
    /// It is started, once it is stopped if it runs.
    starts: bool,
    /// libvirt is told to start it by itself.
    autostarts: bool,
}

impl Transition {
    fn new(now: Option<&Standing>, wanted: &Standing, restart: bool) -> Transition {
        let runs = now.is_some_and(|now| now.is_active);
        Transition {
            runs,
            defines: wanted.is_persistent && now.is_none_or(|n| !n.is_persistent || n.xml != wanted.xml),
            starts: wanted.is_active && (!runs || restart),
            autostarts: wanted.autostarts && now.is_some_and(|now| !now.autostarts),
        }
    }
}

pub(super) fn read(host: &dyn Hypervisor, name: &str) -> Result<Option<String>> {
    Ok(Standing::read(host, name)?.map(|standing| standing.to_string()))
}

/// Makes the network stand as `text` says; `restart` stops and starts one that runs before and after. The `ports` are put
/// on its bridge when it starts, or runs already.
pub(super) fn put(
    host: &dyn Hypervisor,
    name: &str,
    text: Option<&str>,
    (restart, ports): (bool, &[String]),
) -> Result<()> {
    let now = Standing::read(host, name)?;
    let Some(text) = text else { return remove(host, name, now.as_ref()) };
    let wanted = Standing::parse(text)?;
    let was = now.as_ref();
    wanted.can_follow(host, was, restart)?;
    let Transition { runs, defines, starts, .. } = Transition::new(was, &wanted, restart);
    if defines {
        host.define_network(&wanted.xml).context("libvirt refuses the network's definition")?;
    }
    if runs && (starts || !wanted.is_active) {
        host.stop_network(name).context("libvirt can't stop the network")?;
    }
    if !wanted.is_persistent && was.is_some_and(|now| now.is_persistent) {
        host.undefine_network(name).context("libvirt can't remove the network's definition")?;
    }
    if wanted.is_persistent && host.network(name)?.is_some_and(|n| n.autostarts != wanted.autostarts) {
        host.set_network_autostart(name, wanted.autostarts)
            .context("libvirt can't say whether the network starts with it")?;
    }
    if starts {
        // The bridge of a network that was stopped is gone by now; what libvirt tells of another host may lag behind.
        if Reach::of_uri(host.uri()) != Reach::Remote {
            not_in_the_way(host, &wanted.xml, None)?;
        }
        let started =
            if wanted.is_persistent { host.start_network(name) } else { host.create_network(&wanted.xml) };
        started.map_err(|e| cannot_start(host, &wanted, e))?;
        plug_all_back(host, name, ports)?;
    } else if wanted.is_active {
        plug_ports_back(host, name, ports)?;
    }
    Ok(())
}

/// Plugs the guests of a network that runs back in, and the `ports`, if it was stopped on the way to what failed.
pub(super) fn make_whole(host: &dyn Hypervisor, name: &str, ports: &[String]) -> Result<()> {
    match host.network(name)?.is_some_and(|network| network.is_active) {
        true => plug_all_back(host, name, ports),
        false => Ok(()),
    }
}

/// libvirt leaves the taps of running guests on no bridge when a network stops (reference §5.9), and so does the kernel
/// with what else was a port of it.
fn plug_all_back(host: &dyn Hypervisor, name: &str, ports: &[String]) -> Result<()> {
    if Reach::of_uri(host.uri()) == Reach::Remote {
        return Ok(());
    }
    let guests = plug_guests_back(host, name);
    match (guests, plug_ports_back(host, name, ports)) {
        (guests, Ok(())) => guests,
        (Ok(()), refused) => refused,
        (Err(e), Err(refused)) => Err(e.context(message(&refused))),
    }
}

/// Puts those of the ports that are on no bridge on the one that libvirt made for the network.
fn plug_ports_back(host: &dyn Hypervisor, name: &str, ports: &[String]) -> Result<()> {
    let loose = taps::loose(host, ports);
    if loose.is_empty() {
        return Ok(());
    }
    // A bridge of the host's is somewhere else.
    let Some(bridge) = runs_on(host, name)? else { return Ok(()) };
    let refused = loose
        .into_iter()
        .filter_map(|port| Some((kernel::plug(&port, &bridge).err()?, port)))
        .map(|(e, port)| format!("'{port}' can't be put on {bridge} again: {e}"))
        .collect::<Vec<_>>();
    if refused.is_empty() { Ok(()) } else { Err(anyhow!(refused.join("; "))) }
}

/// The bridge that libvirt has made for the network, if that runs.
pub(super) fn runs_on(host: &dyn Hypervisor, name: &str) -> Result<Option<String>> {
    let Some(state) = host.network(name)?.filter(|state| state.is_active) else { return Ok(None) };
    Ok(taps::own_bridge(&network_of(&state.xml)?, true, None))
}

fn plug_guests_back(host: &dyn Hypervisor, name: &str) -> Result<()> {
    // Where this process may not, the preview has said that they stay cut off.
    let may = taps::not_permitted().is_none();
    let failed: Vec<String> = taps::astray(host, Some(name))?
        .iter()
        .filter(|astray| may || !astray.changes_device())
        .filter_map(|astray| {
            let error = taps::plug_back(host, astray).err()?;
            Some(format!("guest '{}': {}", astray.guest, message(&error)))
        })
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Problem::new(
        format!("not all running guests could be plugged back into it: {}", failed.join("; ")),
        format!("kvmnet reattach --on-network {name}"),
    ))
}

fn remove(host: &dyn Hypervisor, name: &str, now: Option<&Standing>) -> Result<()> {
    let Some(now) = now else { return Ok(()) };
    if now.is_active {
        host.stop_network(name).context("libvirt can't stop the network")?;
    }
    if now.is_persistent {
        host.undefine_network(name).context("libvirt can't remove the network's definition")?;
    }
    Ok(())
}

pub(super) fn network_of(xml: &str) -> Result<Network> {
    Network::read(&Doc::parse(xml)?).context("the network's XML can't be read")
}

/// Does it stand as was asked? libvirt adds what nobody asked for: UUID, MAC address, a bridge's name.
pub(super) fn agrees(after: &str, stored: &str) -> Result<(), String> {
    let parse = |text| Standing::parse(text).map_err(|e| e.to_string());
    let (asked, stored) = (parse(after)?, parse(stored)?);
    for (asked, stored, what) in [
        (asked.is_active, stored.is_active, "run"),
        (asked.autostarts, stored.autostarts, "start with libvirt"),
        (asked.is_persistent, stored.is_persistent, "have a definition"),
    ] {
        if asked != stored {
            return Err(format!("it does{} {what}", if stored { "" } else { "n't" }));
        }
    }
    kept(&asked.xml, &stored.xml)
}

/// Does `stored` come of `after`, or of only a part of the calls that it takes? Or has somebody else defined it since?
pub(super) fn made_of(before: &str, after: Option<&str>, stored: &str) -> bool {
    let xml = |text| Standing::parse(text).map(|standing| standing.xml).unwrap_or_default();
    let (before, stored) = (xml(before), xml(stored));
    stored == before || after.map(xml).is_some_and(|after| crate::xml::made_of(&before, &after, &stored))
}

/// Can a network that is on its way from one standing to the other stand so in between? A run that was cut short, or
/// failed and could not put all back, leaves it there.
pub(super) fn is_midway(before: Option<&str>, after: Option<&str>, now: Option<&str>) -> bool {
    let parse = |text: Option<&str>| text.and_then(|text| Standing::parse(text).ok());
    let ends = [parse(before), parse(after)];
    let Some(now) = parse(now) else {
        // Without a definition it is gone from its stop to its start.
        return ends.into_iter().flatten().any(|end| !end.is_persistent);
    };
    // It is stopped in between; what else it is, it is before or after.
    let is = |what: fn(&Standing) -> bool| ends.iter().flatten().any(|end| what(end) == what(&now));
    (!now.is_active || is(|s| s.is_active))
        && (!now.autostarts || is(|s| s.autostarts))
        && is(|s| s.is_persistent)
        && ends.iter().flatten().any(|end| kept(&end.xml, &now.xml).is_ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::plan::{Place, World};
    use crate::sys::fake::Fake;
    use crate::sys::networks::NetworkDriver as _;

    const XML: &str = "<network><name>lab</name></network>";

    fn standing(is_active: bool, xml: &str) -> Standing {
        Standing { is_active, autostarts: is_active, is_persistent: true, xml: xml.into() }
    }

    #[test]
    fn a_text_there_and_back() {
        let all = standing(true, XML);
        assert_eq!(Standing::parse(&all.to_string()).unwrap(), all);
        Standing::parse(XML).unwrap_err();
    }

    #[test]
    fn halfway() {
        let text = |is_active, autostarts, xml: &str| {
            Some(Standing { autostarts, ..standing(is_active, xml) }.to_string())
        };
        let is = |before: &Option<String>, after: &Option<String>, now: &Option<String>| {
            is_midway(before.as_deref(), after.as_deref(), now.as_deref())
        };
        let (made, other) =
            (text(true, true, XML), XML.replace("</network>", "<domain name='x'/></network>"));
        // Being made: defined, then set to start with libvirt, then started.
        assert!(is(&None, &made, &text(false, false, XML)) && is(&None, &made, &text(false, true, XML)));
        assert!(!is(&None, &made, &text(false, true, &other)), "somebody else's change");
        // Being removed, or restarted.
        assert!(is(&made, &None, &text(false, true, XML)) && is(&made, &made, &text(false, true, XML)));
        assert!(is(&made, &text(true, true, &other), &text(false, true, &other)));
        let idle = text(false, false, XML);
        assert!(!is(&idle, &text(false, true, XML), &text(true, true, XML)), "nobody was to start it");
        // Without a definition.
        let brief = Some(Standing { is_persistent: false, ..standing(true, XML) }.to_string());
        assert!(is(&brief, &brief, &None) && !is(&made, &made, &None));
    }

    #[test]
    fn a_bridge_that_another_run_has_just_made_is_nobodys_leftover() {
        let fake = Fake::default();
        let xml = |name: &str| format!("<network><name>{name}</name><forward/><bridge name='lo'/></network>");
        let refused = || standing(true, &xml("late")).can_follow(&fake, None, false).unwrap_err();
        assert!(refused().to_string().starts_with("this host has a device 'lo'"), "{}", refused());
        fake.create_network(&xml("first")).unwrap();
        assert!(refused().to_string().starts_with("'lo' is the bridge of network 'first'"), "{}", refused());
        assert!(!crate::problem::render(&refused()).contains("take it away"));
    }

    #[test]
    fn made_started_changed_and_removed() {
        let fake = Fake::default();
        let world = World { host: Some(&fake), ..World::default() };
        let place = |restart| Place::Network { name: "lab".into(), restart, ports: Vec::new() };
        let put = |text: Option<String>, restart| place(restart).put(&world, text.as_deref()).unwrap();
        put(Some(standing(true, XML).to_string()), false);
        assert_eq!(place(false).read(&world).unwrap(), Some(standing(true, XML).to_string()));
        let other = XML.replace("</network>", "<domain name='x'/></network>");
        put(Some(standing(true, &other).to_string()), true);
        assert_eq!(fake.network_definition("lab").unwrap().as_deref(), Some(other.as_str()));
        put(Some(Standing { is_persistent: false, ..standing(true, &other) }.to_string()), false);
        assert_eq!(fake.network_definition("lab").unwrap(), None);
        put(None, false);
        assert!(fake.networks().unwrap().is_empty());
    }
}
