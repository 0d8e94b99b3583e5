//! What NetworkManager is told, in order.

use crate::host::bridge::{Checkpoint, Command, Host};

/// How long nmcli may wait. A profile with DHCP is up for it before there is a lease.
const SECONDS: &str = "30";

pub(super) fn command(words: &[&str]) -> Command {
    words.iter().map(ToString::to_string).collect()
}

/// Reads these files; of one that is gone NetworkManager forgets the profile, and removes the bridge that it had made
/// for it. Other files that have changed are left for later, which `reload` would not.
pub(super) fn load<'a>(paths: impl IntoIterator<Item = &'a str>) -> Option<Command> {
    let mut out = command(&["nmcli", "connection", "load"]);
    let count = out.len();
    out.extend(paths.into_iter().map(String::from));
    (out.len() > count).then_some(out)
}

/// Activates a profile, on this device if one is named.
pub(super) fn up(uuid: &str, device: Option<&str>) -> Command {
    let mut out = command(&["nmcli", "--wait", SECONDS, "connection", "up", "uuid", uuid]);
    out.extend(device.into_iter().flat_map(|device| ["ifname".to_string(), device.to_string()]));
    out
}

/// NetworkManager's own way back. No device is named, which is all of them: those whose profile and state are as they
/// were aren't touched. Flag 2 deletes profiles that are new, and with its profile goes the bridge. Not 4, which takes
/// down any new device, guests' taps too; not 8: one that overlaps another's (Cockpit's, nmstate's) would be undone by
/// that one.
pub(super) fn checkpoint(host: &Host) -> Option<Checkpoint> {
    let call = |method: &str, rest: &[&str]| {
        let name = "org.freedesktop.NetworkManager";
        let mut out = command(&["busctl", "call", name, "/org/freedesktop/NetworkManager", name, method]);
        out.extend(command(rest));
        out
    };
    host.has("busctl").then(|| Checkpoint {
        take: call("CheckpointCreate", &["aouu", "0", Checkpoint::SECONDS, "2"]),
        keep: call("CheckpointDestroy", &["o", Checkpoint::PATH]),
        roll_back: call("CheckpointRollback", &["o", Checkpoint::PATH]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_filled_in() {
        let host = Host { there: vec!["busctl".into()], ..Host::default() };
        let Some(point) = checkpoint(&host) else { panic!("busctl is there") };
        let printed = "o \"/org/freedesktop/NetworkManager/Checkpoint/7\"\n";
        let name = Checkpoint::name(printed).unwrap_or_default();
        assert_eq!(name, "/org/freedesktop/NetworkManager/Checkpoint/7");
        assert_eq!(
            point.taken(120).join(" ").split_once("CheckpointCreate ").map(|p| p.1),
            Some("aouu 0 120 2")
        );
        assert_eq!(point.kept(name)[5..], ["CheckpointDestroy", "o", name]);
        assert_eq!(point.rolled_back(name)[5..], ["CheckpointRollback", "o", name]);
        assert_eq!((Checkpoint::name(""), Checkpoint::name("s \"no\"")), (None, None));
        assert_eq!(checkpoint(&Host::default()), None);
    }
}
