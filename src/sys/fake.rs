//! A host in memory, for tests of what a real one seldom does: refusing, changing under one's hands, storing
//! something else than was asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use super::hypervisor::{Guest, HostInterface, Hypervisor};
use super::networks::{Lease, NetworkDriver, NetworkState, Port};

/// What the fake does when it is asked to store a definition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Storing {
    /// As it should.
    #[default]
    Right,
    /// It refuses.
    Refused,
    /// It loses an element the first time, and is right afterwards.
    WrongOnce,
    /// It loses an element each time.
    Wrong,
}

/// The fake's state; tests look into it and change it.
#[derive(Debug, Default)]
pub struct State {
    /// UUID to definition.
    pub definitions: BTreeMap<String, String>,
    /// UUID to saved image.
    pub saved: BTreeMap<String, String>,
    /// UUID to the XML of the running guest, which has its UUID for a name.
    pub running: BTreeMap<String, String>,
    /// How definitions are stored.
    pub storing: Storing,
    /// Refuse to change saved images?
    pub refuses_saved: bool,
    /// The networks.
    pub networks: BTreeMap<String, NetworkState>,
    /// The UUIDs of their ports, by their names.
    pub ports: BTreeMap<String, Vec<String>>,
    /// Why none of them starts.
    pub networks_dont_start: Option<String>,
    /// How often something was checked against the schema.
    pub validated: usize,
    /// How often something was stored.
    pub stored: usize,
    /// What somebody else does as soon as a definition was stored, or refused; once.
    pub meanwhile: Option<fn(&mut State)>,
    /// How long it takes to store something.
    pub slowness: Duration,
    /// How many are storing something now, and how many did at most.
    pub storing_now: (usize, usize),
}

/// The fake host.
#[derive(Debug, Default)]
pub struct Fake(Mutex<State>);

impl Fake {
    /// Its state.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hypervisor for Fake {
    fn uri(&self) -> &str {
        "fake:///"
    }

    fn is_read_only(&self) -> bool {
        false
    }

    fn version(&self) -> u64 {
        11_003_000
    }

    fn guests(&self) -> Result<Vec<Guest>> {
        let guest = |(uuid, id): (&String, u32)| Guest {
            name: uuid.clone(),
            uuid: uuid.clone(),
            id: Some(id),
            is_active: true,
            is_persistent: true,
            is_saved: false,
            has_snapshots: false,
        };
        Ok(self.state().running.keys().zip(1..).map(guest).collect())
    }

    fn definition(&self, uuid: &str) -> Result<Option<String>> {
        Ok(self.state().definitions.get(uuid).cloned())
    }

    fn running(&self, uuid: &str) -> Result<String> {
        self.state().running.get(uuid).cloned().ok_or_else(|| anyhow!("it isn't running"))
    }

    fn define(&self, xml: &str, validate: bool) -> Result<()> {
        let mut state = self.state();
        let (now, most) = state.storing_now;
        state.storing_now = (now + 1, most.max(now + 1));
        let slowness = state.slowness;
        drop(state);
        std::thread::sleep(slowness);
        let mut state = self.state();
        state.storing_now.0 -= 1;
        state.validated += usize::from(validate);
        state.stored += 1;
        let uuid = xml
            .split("<uuid>")
            .nth(1)
            .and_then(|rest| rest.split('<').next())
            .ok_or_else(|| anyhow!("no uuid"))?;
        let lossy = xml.replace("<keep/>", "");
        let text = match state.storing {
            Storing::Right => Some(xml.to_string()),
            Storing::Refused => None,
            Storing::WrongOnce => {
                state.storing = Storing::Right;
                Some(lossy)
            }
            Storing::Wrong => Some(lossy),
        };
        let is_stored = text.is_some();
        state.definitions.extend(text.map(|text| (uuid.to_string(), text)));
        if let Some(meanwhile) = state.meanwhile.take() {
            meanwhile(&mut state);
        }
        if is_stored { Ok(()) } else { Err(anyhow!("refused")) }
    }

    fn saved(&self, uuid: &str) -> Result<Option<String>> {
        Ok(self.state().saved.get(uuid).cloned())
    }

    fn define_saved(&self, uuid: &str, xml: &str) -> Result<()> {
        let mut state = self.state();
        if state.refuses_saved {
            bail!("refused");
        }
        state.saved.insert(uuid.to_string(), xml.to_string());
        Ok(())
    }

    fn discard_saved(&self, uuid: &str) -> Result<()> {
        self.state().saved.remove(uuid);
        Ok(())
    }

    fn snapshots(&self, _: &str) -> Result<Vec<(String, String)>> {
        Ok(Vec::new())
    }

    fn update_running(&self, _: &str, _: &str) -> Result<()> {
        bail!("it isn't running")
    }

    fn addresses(&self, _: &str) -> Vec<(String, String)> {
        Vec::new()
    }

    fn interface(&self, _: &str) -> Result<Option<HostInterface>> {
        bail!("not supported")
    }

    fn tells_of_device(&self, _: &str) -> bool {
        false
    }
}

impl NetworkDriver for Fake {
    fn networks(&self) -> Result<Vec<NetworkState>> {
        Ok(self.state().networks.values().cloned().collect())
    }

    fn network(&self, name: &str) -> Result<Option<NetworkState>> {
        Ok(self.state().networks.get(name).cloned())
    }

    fn network_definition(&self, name: &str) -> Result<Option<String>> {
        Ok(self.state().networks.get(name).filter(|n| n.is_persistent).map(|n| n.xml.clone()))
    }

    fn define_network(&self, xml: &str) -> Result<()> {
        let name = xml.split("<name>").nth(1).and_then(|rest| rest.split('<').next());
        let name = name.ok_or_else(|| anyhow!("no name"))?.to_string();
        let mut state = self.state();
        let network = state.networks.entry(name.clone()).or_insert_with(|| NetworkState {
            name,
            uuid: String::new(),
            is_active: false,
            is_persistent: true,
            autostarts: false,
            xml: String::new(),
        });
        network.is_persistent = true;
        network.xml = xml.into();
        Ok(())
    }

    fn undefine_network(&self, name: &str) -> Result<()> {
        let mut state = self.state();
        match state.networks.get_mut(name) {
            Some(network) if network.is_active => network.is_persistent = false,
            _ => drop(state.networks.remove(name)),
        }
        Ok(())
    }

    fn start_network(&self, name: &str) -> Result<()> {
        let mut state = self.state();
        if let Some(why) = &state.networks_dont_start {
            bail!("{why}");
        }
        state.networks.get_mut(name).ok_or_else(|| anyhow!("no such network"))?.is_active = true;
        Ok(())
    }

    fn stop_network(&self, name: &str) -> Result<()> {
        let mut state = self.state();
        let network = state.networks.get_mut(name).ok_or_else(|| anyhow!("no such network"))?;
        network.is_active = false;
        if !network.is_persistent {
            state.networks.remove(name);
        }
        Ok(())
    }

    fn create_network(&self, xml: &str) -> Result<()> {
        self.define_network(xml)?;
        let name = xml.split("<name>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
        self.start_network(name)?;
        self.undefine_network(name)
    }

    fn set_network_autostart(&self, name: &str, autostart: bool) -> Result<()> {
        let mut state = self.state();
        state.networks.get_mut(name).ok_or_else(|| anyhow!("no such network"))?.autostarts = autostart;
        Ok(())
    }

    fn leases(&self, _: &str) -> Result<Option<Vec<Lease>>> {
        Ok(None)
    }

    fn ports(&self, name: &str) -> Result<Option<Vec<Port>>> {
        let port = |uuid: &String| Port { uuid: uuid.clone(), xml: String::new() };
        Ok(self.state().ports.get(name).map(|ports| ports.iter().map(port).collect()))
    }
}
