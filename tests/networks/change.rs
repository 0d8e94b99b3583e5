//! Changes of mode, to the byte.

use kvmnet::net::{Ask, Mode, set_mode};
use kvmnet::xml::Doc;

use super::{ask, host};

fn changed(text: &str, ask: &Ask) -> String {
    let doc = Doc::parse(text).unwrap();
    let edits = set_mode(&doc, ask, &host(), &mut Vec::new()).unwrap_or_else(|f| panic!("{f}"));
    let new = edits.apply(text);
    let again = set_mode(&Doc::parse(&new).unwrap(), ask, &host(), &mut Vec::new()).unwrap();
    assert!(again.is_empty(), "a second time changes nothing");
    new
}

fn refused(text: &str, ask: &Ask) -> (&'static str, String) {
    let fault = set_mode(&Doc::parse(text).unwrap(), ask, &host(), &mut Vec::new()).unwrap_err();
    (fault.flag, fault.message)
}

/// What `virsh net-dumpxml default` gives, and a few things that people add.
const DEFAULT: &str = "<!-- the one that came with the system -->
<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>default</name>
  <uuid>5f1b5b0c-7d4a-4d7e-9d41-3d5a8f0f3c11</uuid>
  <metadata>
    <a:b xmlns:a=\"urn:a\">kept</a:b>
  </metadata>
  <forward mode='nat'>
    <nat>
      <port start='1024' end='65535'/>
    </nat>
  </forward>
  <bridge name='virbr0' stp='on' delay='0'/>
  <mac address='52:54:00:aa:bb:cc'/>
  <domain name='lab.example'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <!-- guests -->
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
      <host mac='52:54:00:00:00:01' name='web' ip='192.168.122.9'/>
    </dhcp>
  </ip>
  <route address='10.9.0.0' prefix='16' gateway='192.168.122.9'/>
  <future thing='yes'/>
  <dnsmasq:options>
    <dnsmasq:option value='log-dhcp'/>
  </dnsmasq:options>
</network>
";

#[test]
fn nat_to_bridge() {
    let to = ask(Mode::Bridge, |a| a.bridge = Some("br0".parse().unwrap()));
    assert_eq!(
        changed(DEFAULT, &to),
        "<!-- the one that came with the system -->
<network xmlns:dnsmasq='http://libvirt.org/schemas/network/dnsmasq/1.0'>
  <name>default</name>
  <uuid>5f1b5b0c-7d4a-4d7e-9d41-3d5a8f0f3c11</uuid>
  <metadata>
    <a:b xmlns:a=\"urn:a\">kept</a:b>
  </metadata>
  <forward mode='bridge'/>
  <bridge name='br0'/>
  <future thing='yes'/>
  <dnsmasq:options>
    <dnsmasq:option value='log-dhcp'/>
  </dnsmasq:options>
</network>
"
    );
}

#[test]
fn nat_to_other_virtual_modes_changes_the_mode_only() {
    let without_nat =
        "<forward mode='nat'>\n    <nat>\n      <port start='1024' end='65535'/>\n    </nat>\n  </forward>";
    assert!(DEFAULT.contains(without_nat));
    for mode in [Mode::Route, Mode::Open] {
        let want = DEFAULT.replace(without_nat, &format!("<forward mode='{mode}'/>"));
        assert_eq!(changed(DEFAULT, &Ask::new(mode)), want);
    }
    let with_host = ask(Mode::Isolated, |a| a.host_access = true);
    let want = DEFAULT.replace(&format!("  {without_nat}\n"), "");
    assert_eq!(changed(DEFAULT, &with_host), want);
    assert_eq!(changed(DEFAULT, &Ask::new(Mode::Nat)), DEFAULT, "it is so already");
}

#[test]
fn nat_to_isolated() {
    let new = changed(DEFAULT, &Ask::new(Mode::Isolated));
    assert!(
        new.contains(
            "  </metadata>
  <bridge name='virbr0' stp='on' delay='0'/>
  <mac address='52:54:00:aa:bb:cc'/>
  <dns enable='no'/>
  <future thing='yes'/>
"
        ),
        "{new}"
    );
    // And back: a free subnet with DHCP, and DNS on.
    let back = changed(&new, &Ask::new(Mode::Nat));
    assert!(
        back.contains(
            "  </metadata>
  <forward mode='nat'/>
  <bridge name='virbr0' stp='on' delay='0'/>
  <mac address='52:54:00:aa:bb:cc'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
  <future thing='yes'/>
"
        ),
        "{back}"
    );
}

#[test]
fn bridge_to_nat() {
    let lan = "<network>\n\t<name>lan</name>\n\t<forward mode=\"bridge\"/>\n\t<bridge name=\"br0\"/> <!-- LAN -->\n\t<portgroup name=\"a\">\n\t\t<vlan><tag id=\"5\"/></vlan>\n\t</portgroup>\n</network>";
    let new = changed(lan, &Ask::new(Mode::Nat));
    assert_eq!(
        new,
        "<network>\n\t<name>lan</name>\n\t<forward mode=\"nat\"/>\n\t<bridge name=\"virbr3\" stp=\"on\" delay=\"0\"/> <!-- LAN -->\n\t\
         <ip address=\"192.168.124.1\" netmask=\"255.255.255.0\">\n\t\t<dhcp>\n\t\t\t\
         <range start=\"192.168.124.2\" end=\"192.168.124.254\"/>\n\t\t</dhcp>\n\t</ip>\n\t<portgroup name=\"a\"/>\n</network>"
    );
}

#[test]
fn a_pool_takes_no_bandwidth() {
    let nat = "<network>\n  <name>n</name>\n  <forward/>\n  <bridge name='virbr9'/>\n  <bandwidth>\n    <inbound average='9'/>\n  \
               </bandwidth>\n  <ip address='172.20.0.1' prefix='24'/>\n  <portgroup name='slow'>\n    <bandwidth>\n      \
               <inbound average='1'/>\n    </bandwidth>\n  </portgroup>\n</network>\n";
    let pool = changed(nat, &ask(Mode::Bridge, |a| a.pool = vec!["eth0".parse().unwrap()]));
    assert!(!pool.contains("bandwidth") && pool.contains("<portgroup name='slow'/>"), "{pool}");
    let bridge = changed(nat, &ask(Mode::Bridge, |a| a.bridge = Some("br0".parse().unwrap())));
    assert_eq!(bridge.matches("<bandwidth>").count(), 2, "{bridge}");
}

#[test]
fn texts_without_lines() {
    let flat = "<network><name>n</name><forward mode='nat'><nat ipv6='yes'/></forward><bridge name='virbr9'/><ip address='172.20.0.1' prefix='24'/></network>";
    let new = changed(flat, &ask(Mode::Bridge, |a| a.pool = vec!["eth0".parse().unwrap()]));
    assert_eq!(
        new,
        "<network><name>n</name><forward mode='bridge'><interface dev='eth0'/></forward></network>"
    );
    let back = changed(&new, &ask(Mode::Route, |a| a.devs = vec!["eth1".parse().unwrap()]));
    assert!(back.starts_with("<network><name>n</name><forward mode='route' dev='eth1'/><bridge name='virbr3' stp='on' delay='0'/><ip address="), "{back}");
    let bare = changed("<network><name>n</name></network>", &ask(Mode::Open, |a| a.mtu = Some(1400)));
    assert!(bare.contains("<name>n</name><forward mode='open'/><mtu size='1400'/><ip "), "{bare}");
}

#[test]
fn devices_stay_where_they_may() {
    let with = |mode: &str| {
        format!(
            "<network>\n  <name>n</name>\n  <forward dev='eth0' mode='{mode}'>\n    <interface dev='eth0'/>\n  </forward>\n  <bridge name='virbr9'/>\n  <ip address='172.20.0.1' prefix='24'/>\n</network>\n"
        )
    };
    assert_eq!(changed(&with("nat"), &Ask::new(Mode::Route)), with("route"));
    let open = changed(&with("nat"), &Ask::new(Mode::Open));
    assert!(open.contains("  <forward mode='open'/>\n"), "{open}");
    let other = changed(&with("nat"), &ask(Mode::Nat, |a| a.devs = vec!["eth1".parse().unwrap()]));
    assert!(other.contains("  <forward dev='eth1' mode='nat'/>\n"), "{other}");
}

#[test]
fn another_subnet_and_other_services() {
    let new = changed(
        DEFAULT,
        &ask(Mode::Nat, |a| {
            a.subnet = Some("172.20.0.0/16".parse().unwrap());
            a.subnet6 = Some("fd00:1::/64".parse().unwrap());
            a.nat_ports = Some((2000, 3000));
            a.domain = Some("new.example".into());
            a.mtu = Some(1400);
            a.hosts = vec!["52:54:00:00:00:02,172.20.0.9".parse().unwrap()];
            a.dns_hosts = vec![("172.20.0.9".parse().unwrap(), vec!["db".into()])];
        }),
    );
    assert_eq!(
        new.split("</metadata>\n").nth(1).unwrap(),
        "  <forward mode='nat'>
    <nat ipv6='yes'>
      <port start='2000' end='3000'/>
    </nat>
  </forward>
  <bridge name='virbr0' stp='on' delay='0'/>
  <mtu size='1400'/>
  <mac address='52:54:00:aa:bb:cc'/>
  <domain name='new.example'/>
  <dns>
    <host ip='172.20.0.9'>
      <hostname>db</hostname>
    </host>
  </dns>
  <ip address='172.20.0.1' netmask='255.255.0.0'>
    <!-- guests -->
    <dhcp>
      <range start='172.20.0.2' end='172.20.255.254'/>
      <host mac='52:54:00:00:00:02' ip='172.20.0.9'/>
    </dhcp>
  </ip>
  <ip family='ipv6' address='fd00:1::1' prefix='64'/>
  <future thing='yes'/>
  <dnsmasq:options>
    <dnsmasq:option value='log-dhcp'/>
  </dnsmasq:options>
</network>
"
    );
    let silent = changed(DEFAULT, &ask(Mode::Nat, |a| a.no_dhcp = true));
    assert!(silent.contains("    <!-- guests -->\n  </ip>"), "{silent}");
    let host = |h: &str| changed(DEFAULT, &ask(Mode::Nat, |a| a.hosts = vec![h.parse().unwrap()]));
    assert_eq!(host("52:54:00:00:00:01,192.168.122.9"), DEFAULT);
    let moved = host("52:54:00:00:00:01,192.168.122.10");
    assert!(
        moved.contains("mac='52:54:00:00:00:01' ip='192.168.122.10'/>") && !moved.contains("122.9' /"),
        "{moved}"
    );
}

#[test]
fn what_is_refused() {
    let own = ask(Mode::Bridge, |a| a.bridge = Some("virbr0".parse().unwrap()));
    assert!(refused(DEFAULT, &own).1.contains("virtual bridge of network 'default'"));
    assert_eq!(refused(DEFAULT, &Ask::new(Mode::Bridge)).0, "--bridge");
    assert_eq!(refused(DEFAULT, &ask(Mode::Route, |a| a.name = Some("other".into()))).0, "NAME");
    let to_br0 = ask(Mode::Nat, |a| a.bridge = Some("br0".parse().unwrap()));
    assert!(refused(DEFAULT, &to_br0).1.contains("delete that device"));
    let taken = ask(Mode::Nat, |a| a.subnet = Some("192.168.123.0/24".parse().unwrap()));
    assert!(refused(DEFAULT, &taken).1.contains("network 'nat'"));
    let wider = ask(Mode::Nat, |a| a.subnet = Some("192.168.122.0/25".parse().unwrap()));
    assert!(changed(DEFAULT, &wider).contains("netmask='255.255.255.128'"), "it isn't in its own way");
    let through_itself = ask(Mode::Route, |a| a.devs = vec!["virbr0".parse().unwrap()]);
    assert!(refused(DEFAULT, &through_itself).1.contains("virtual bridge of network 'default'"));
    assert_eq!(refused("<network/>", &Ask::new(Mode::Nat)).0, "NAME");
    let odd = "<network><name>n</name>]]<ip address='172.20.0.1'/>></network>";
    assert_eq!(refused(odd, &Ask::new(Mode::Isolated)).0, "--mode");
}
