//! A host in memory, for tests of what a real one seldom does: refusing, changing under one's hands, storing
//! something else than was asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use super::hypervisor::{Guest, HostInterface, Hypervisor, NetworkState};

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
    /// How definitions are stored.
    pub storing: Storing,
    /// Refuse to change saved images?
    pub refuses_saved: bool,
    /// How often something was checked against the schema.
    pub validated: usize,
    /// How often something was stored.
    pub stored: usize,
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
        Ok(Vec::new())
    }

    fn definition(&self, uuid: &str) -> Result<Option<String>> {
        Ok(self.state().definitions.get(uuid).cloned())
    }

    fn running(&self, _: &str) -> Result<String> {
        bail!("it isn't running")
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
            Storing::Right => xml.to_string(),
            Storing::Refused => bail!("refused"),
            Storing::WrongOnce => {
                state.storing = Storing::Right;
                lossy
            }
            Storing::Wrong => lossy,
        };
        state.definitions.insert(uuid.to_string(), text);
        Ok(())
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

    fn networks(&self) -> Result<Vec<NetworkState>> {
        Ok(Vec::new())
    }

    fn interface(&self, _: &str) -> Result<Option<HostInterface>> {
        bail!("not supported")
    }
}
