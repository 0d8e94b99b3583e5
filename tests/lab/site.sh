# What the first process of a site does. It is run by site.rs for mod.rs as
#     unshare -m -n -p -i -u -f --kill-child=KILL --mount-proc bash -c SCRIPT site
# so all of it happens in namespaces of its own: mounts, network, processes, IPC, host name.
# It says `ready` on stdout when the host stands, then waits for the end of its input. That input is a pipe held by the
# test: when the test is gone, however it went, the pipe closes, this process ends, and the kernel ends all others in
# here and takes the devices, mounts and namespaces away.
set -eu

# --- files: nothing that libvirt reads or writes is shared with the machine around us
mount --make-rprivate /
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/netns /run/lock /run/lab/home /run/lab/state
etc=${LAB_ETC:-/run/lab/etc-libvirt}
cp -a /etc/libvirt "$etc"
mount --bind "$etc" /etc/libvirt
find /etc/libvirt/qemu /etc/libvirt/storage -mindepth 1 \( -name '*.xml' -o -type l \) -delete 2>/dev/null || true
for d in lib cache log; do
    mkdir -p "/run/lab/$d" "/var/$d/libvirt"
    mount --bind "/run/lab/$d" "/var/$d/libvirt"
done
mkdir -p /var/lib/libvirt/qemu /var/lib/libvirt/dnsmasq /var/lib/libvirt/images /var/lib/libvirt/boot /var/log/libvirt/qemu
# Guests in here need no confinement, and no cgroup that would outlive the site.
cat >>/etc/libvirt/qemu.conf <<'CONF'
security_driver = "none"
cgroup_controllers = []
namespaces = []
CONF
# Kernels without nftables' checksum action can't start a NAT network with the nftables backend; iptables does everywhere.
export LAB_FIREWALL=${LAB_FIREWALL:-iptables}
if grep -q firewall_backend /etc/libvirt/network.conf 2>/dev/null; then
    echo "firewall_backend = \"$LAB_FIREWALL\"" >>/etc/libvirt/network.conf
fi

# --- the LAN: a switch, the router's address and a peer's (198.18.0.0/15 is set aside for benchmarks: RFC 2544), and the
# router's DHCP server
ip link set lo up
ip link add swlan type bridge
ip addr add 198.18.0.1/24 dev swlan
ip addr add 198.18.0.9/24 dev swlan
ip link set swlan up
ip link add lan0 type veth peer name enp4s0
ip link set lan0 master swlan up
dnsmasq --conf-file=/dev/null --port=0 --interface=swlan --bind-interfaces --user=root \
    --dhcp-authoritative --no-ping --dhcp-range=198.18.0.100,198.18.0.199,1h --dhcp-option=option:router,198.18.0.1 \
    --dhcp-leasefile=/run/lab/lan.leases --pid-file=/run/lab/lan-dnsmasq.pid --log-facility=/run/lab/lan-dnsmasq.log

# --- the host: one cable to that switch, a bridge over it, and a second bridge that leads nowhere
ip netns add host
ip link set enp4s0 netns host address 52:54:00:aa:00:04
ip netns exec host sh -eu <<'HOST'
ip link set lo up
ip link add br0 type bridge stp_state 0 forward_delay 0
ip link set br0 address 52:54:00:aa:00:04
ip link set enp4s0 master br0 up
ip addr add 198.18.0.4/24 dev br0
ip link set br0 up
ip route add default via 198.18.0.1
ip link add br1 type bridge stp_state 0 forward_delay 0
ip link set br1 up
virtlogd -d -p /run/lab/virtlogd.pid
libvirtd -d -p /run/lab/libvirtd.pid
cat >/run/lab/default.xml <<'XML'
<network>
  <name>default</name>
  <forward mode='nat'/>
  <bridge name='virbr0' stp='on' delay='0'/>
  <ip address='192.168.122.1' netmask='255.255.255.0'>
    <dhcp>
      <range start='192.168.122.2' end='192.168.122.254'/>
    </dhcp>
  </ip>
</network>
XML
virsh -q 'net-define /run/lab/default.xml; net-autostart default' </dev/null >/dev/null
# Whether it can with another firewall is for the test to find out.
virsh -q net-start default </dev/null >/dev/null 2>&1 || [ "$LAB_FIREWALL" != iptables ]
HOST

echo ready
# Not `exec cat`: bash also buries the dead that libvirt leaves behind, as an init must.
while read -r _; do :; done
