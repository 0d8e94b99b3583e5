//! The backend's own tools fail, hang, or aren't there.

use std::process::Stdio;

use super::{
    CREATE, DELETE, LONG, as_before, bridged, create, lan_for, nothing_is_left, site, with_every_backend,
};
use crate::machine::configs::Addresses;
use crate::machine::{Flavour, Lan, Machine};
use crate::site::say;

with_every_backend! { failing_while_it_is_made failing_while_it_is_taken_down missing hanging }

/// What backends are told by.
const TOOLS: [&str; 6] = ["ifup", "ifdown", "ifreload", "netplan", "networkctl", "nmcli"];

/// One way after another in which a machine gets its addresses, of those that are left where the tools are broken: without
/// `ifup` there is no DHCP client any more, and addresses are only put back until they run out.
fn turn(flavour: Flavour, disaster: usize) -> Addresses {
    match flavour {
        Flavour::Ifupdown | Flavour::Ifupdown2 if disaster.is_multiple_of(2) => Addresses::StaticBoth,
        Flavour::Ifupdown | Flavour::Ifupdown2 => Addresses::Static6,
        _ => super::turn(flavour, disaster),
    }
}

/// Programs of the backend's that such a change runs, each with how often, as the preview has it.
fn tools(machine: &Machine<'_>, line: &[&str]) -> Vec<(String, usize)> {
    let preview = machine.kvmnet(&[&["-o", "json"], line, &["--dry-run"]].concat()).ok().json();
    let mut tools: Vec<(String, usize)> = Vec::new();
    for command in preview["commands"].as_array().unwrap() {
        let tool = command[0].as_str().unwrap();
        match tools.iter_mut().find(|(name, _)| name == tool) {
            Some((_, calls)) => *calls += 1,
            None if TOOLS.contains(&tool) => tools.push((tool.to_owned(), 1)),
            // `ip`, `cp`: no backend's.
            None => {}
        }
    }
    assert!(!tools.is_empty(), "{preview:#}");
    tools
}

/// Puts something in a tool's place, which may run the real one as `$real`.
fn replace(machine: &Machine<'_>, tool: &str, script: &str) {
    let real = machine.sh(&format!("command -v {tool}"));
    let fake = format!("/usr/local/sbin/{tool}");
    machine.put(&fake, &format!("#!/bin/sh\nreal={}\n{script}", real.trim()));
    machine.sh(&format!("rm -f /run/calls; chmod 755 {fake}"));
}

/// It works until its n-th call, and from then on fails for good, when everything is put back too.
fn fails_from(machine: &Machine<'_>, tool: &str, call: usize) {
    let script = format!(
        "echo x >>/run/calls\n[ $(wc -l </run/calls) -ge {call} ] && echo broken >&2 && exit 1\nexec $real \"$@\"\n"
    );
    replace(machine, tool, &script);
}

fn failing_while_it_is_made(flavour: Flavour) {
    for addresses in [Addresses::Static4, turn(flavour, 0)] {
        let Some(lan) = lan_for(addresses) else { return };
        let (machine, before, mut connection) = site(&lan, flavour, addresses);
        for (tool, calls) in tools(&machine, &CREATE) {
            for call in 1..=calls {
                fails_from(&machine, &tool, call);
                let out = create(&machine, &connection, &LONG);
                machine.sh(&format!("rm /usr/local/sbin/{tool}"));
                out.exits(2).says(&["broken"]);
                as_before(&machine, &before, &mut connection);
            }
            say(&format!("{flavour:?}, {addresses:?}: {tool} failed at each of its {calls} calls"));
        }
    }
}

/// What takes it down may fail, if only the bridge is gone afterwards; else all is put back.
fn failing_while_it_is_taken_down(flavour: Flavour) {
    let addresses = turn(flavour, 4);
    let Some(lan) = lan_for(addresses) else { return };
    let (machine, before, mut connection) = bridged(&lan, flavour, addresses);
    for (tool, calls) in tools(&machine, &DELETE) {
        for call in 1..=calls {
            fails_from(&machine, &tool, call);
            let out = machine.kvmnet_over(&connection, &[&DELETE[..], &["--timeout", "30"]].concat());
            let failed = machine.sh("cat /run/calls").lines().count() >= call;
            machine.sh(&format!("rm /usr/local/sbin/{tool}"));
            assert!(failed, "{tool} wasn't called {call} times\n{}", out.report());
            if out.code == 0 {
                machine.kvmnet(&["host", "bridge", "revert"]).ok();
            } else {
                out.exits(2).says(&["broken", "isn't what was asked for"]);
            }
            as_before(&machine, &before, &mut connection);
        }
    }
}

/// Neither the backend's tool makes the bridge again, nor can `ip`: what is missing is said, and what can be done about it.
#[test]
fn nothing_makes_it_again() {
    let Some(lan) = lan_for(Addresses::StaticBoth) else { return };
    let (machine, ..) = bridged(&lan, Flavour::Ifupdown, Addresses::StaticBoth);
    fails_from(&machine, "ifup", 1);
    replace(&machine, "ip", "[ \"$1 $2\" = \"link add\" ] && exit 1\nexec $real \"$@\"\n");
    let out = machine.kvmnet(&[&DELETE[..], &LONG].concat()).exits(3);
    for said in
        ["could not be put back as it was", "br0 is gone", "'ifup br0' failed", "the files are as they were"]
    {
        assert!(out.stderr.contains(said), "{}", out.report());
    }
    for wrong in ["everything was put back", "since the preview", "kvmnet undo"] {
        assert!(!out.stderr.contains(wrong), "{}", out.report());
    }
    nothing_is_left(&machine);
    machine.sh("rm /usr/local/sbin/ifup /usr/local/sbin/ip");
    machine.sh("ifdown --force br0; ifup br0");
    machine.wait_for_address("br0", "198.18.0.4");
}

/// From the start, and when everything is put back.
fn missing(flavour: Flavour) {
    let addresses = turn(flavour, 2);
    let Some(lan) = lan_for(addresses) else { return };
    let (machine, before, mut connection) = site(&lan, flavour, addresses);
    let tools = tools(&machine, &CREATE);
    let path = |tool: &str| machine.sh(&format!("command -v {tool}")).trim().to_owned();
    let paths: Vec<String> = tools.iter().map(|(tool, _)| path(tool)).collect();
    for tool in &paths {
        machine.sh(&format!("mv {tool} {tool}.away"));
        let out = create(&machine, &connection, &LONG).exits(2);
        eprintln!("{}", out.report());
        machine.sh(&format!("mv {tool}.away {tool}"));
        as_before(&machine, &before, &mut connection);
    }
    create(&machine, &connection, &LONG).ok();
    for tool in &paths {
        machine.sh(&format!("mv {tool} {tool}.away"));
    }
    machine.the_time_is_up();
    as_before(&machine, &before, &mut connection);
}

/// It never ends; then the time is up.
fn hanging(flavour: Flavour) {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, flavour, Addresses::Static4);
    let (tool, _) = tools(&machine, &CREATE).swap_remove(0);
    replace(&machine, &tool, "[ -e /run/calls ] && exec $real \"$@\"\ntouch /run/calls\nexec sleep 1000\n");
    let mut kvmnet = machine.kvmnet_command(&[&CREATE[..], &LONG].concat());
    let mut kvmnet = kvmnet.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    machine.wait_until("has it hang", |machine| machine.has("/run/calls"));
    machine.the_time_is_up();
    assert!(!kvmnet.wait().unwrap().success());
    machine.sh(&format!("rm /usr/local/sbin/{tool}"));
    machine.is_again(&before);
    assert!(connection.echoes());
    nothing_is_left(&machine);
}

/// networkd believes that the bridge has its address, and it hasn't: it is told once more.
#[test]
fn an_address_is_lost() {
    for (flavour, tool) in [(Flavour::Netplan, "netplan"), (Flavour::Networkd, "networkctl")] {
        let Some(lan) = Lan::start_v4() else { return };
        let (machine, _, mut connection) = site(&lan, flavour, Addresses::Dhcp4);
        // As a race in systemd 252 has it.
        replace(
            &machine,
            tool,
            "$real \"$@\" || exit\n[ -e /run/lost ] && exit\nfor _ in $(seq 100); do
            ip -4 addr show br0 2>/dev/null | grep -q inet && touch /run/lost && exec ip -4 addr flush dev br0
            [ \"$1\" = generate ] && exit\nsleep 0.1\ndone\n",
        );
        create(&machine, &connection, &LONG).ok().says(&["br0 lacks an address: networkctl reconfigure br0"]);
        assert!(machine.has("/run/lost"));
        assert!(connection.echoes());
    }
}

/// After Debian's plain `su` the folders of root's programs aren't in `PATH`.
#[test]
fn found_where_they_usually_are() {
    let Some(lan) = Lan::start_v4() else { return };
    let (machine, before, mut connection) = site(&lan, Flavour::Ifupdown, Addresses::Static4);
    let line = [&["env", "PATH=/bin", "/usr/local/bin/kvmnet"], &CREATE[..], &LONG].concat();
    machine.run(&line).ok();
    assert!(machine.has("/sys/class/net/br0"));
    machine.run(&["env", "-i", "/usr/local/bin/kvmnet", "host", "bridge", "revert"]).ok();
    as_before(&machine, &before, &mut connection);
}
