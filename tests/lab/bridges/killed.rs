//! kvmnet is killed at every step of making a bridge; nobody is there to put anything back but what was armed before.

use super::{boot, create, nothing_is_left, with_every_backend};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan};

with_every_backend! { killed_at_every_step }

/// What kvmnet asks of the kernel at its steps: new names of files, removals, the start of each program.
const CALLS: &[&str] = &["rename", "link", "unlink", "vfork", "clone3"];

/// strace kills it with SIGKILL at the n-th of such calls, for each n there is, and another time cuts the power there.
fn killed_at_every_step(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let mut machine = boot(&lan, flavour, Addresses::Static4);
    let before = machine.state();
    let mut kills = 0;
    for call in CALLS {
        for n in 1.. {
            let connection = lan.connection(&machine);
            let inject = format!("inject={call}:signal=KILL:when={n}");
            let line = [
                "strace",
                "-qq",
                "-e",
                &format!("trace={call}"),
                "-e",
                &inject,
                "/usr/local/bin/kvmnet",
                "host",
                "bridge",
                "create",
                "br0",
                "--port",
                "enp4s0",
                "-y",
                "--timeout",
                "8",
            ];
            let mut command = machine.command(&line);
            command.env("SSH_CONNECTION", connection.ssh());
            let done = command.output().unwrap();
            if done.status.success() {
                // There were fewer such calls.
                machine.kvmnet(&["host", "bridge", "revert"]).ok();
                machine.is_again(&before);
                break;
            }
            kills += 1;
            if kills % 5 == 0 {
                machine.reboot();
                machine.wait_for_network();
            } else {
                machine.wait_until("the timer is through", |machine| {
                    machine
                        .run(&["systemctl", "list-units", "--all", "--no-legend", "kvmnet*"])
                        .stdout
                        .trim()
                        .is_empty()
                });
            }
            machine.is_again(&before);
            // Before the timer is armed nothing is written but what shall be done.
            machine.kvmnet(&["host", "bridge", "revert"]).ok().says(&["nothing to do"]);
            nothing_is_left(&machine);
        }
    }
    assert!(kills > 10, "it was killed only {kills} times");
    eprintln!("{flavour:?}: killed at {kills} steps");
    let connection = lan.connection(&machine);
    create(&machine, &connection, &[]).ok();
}
