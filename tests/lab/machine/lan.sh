# What the first process of a LAN does. It is run by site.rs as
#     unshare -m -n -p -i -u -f --kill-child=KILL --mount-proc bash -c SCRIPT site
# so all of it happens in namespaces of its own. It says `ready` on stdout when the LAN stands, then waits for the end of
# its input: a pipe held by the test. When the test is gone, however it went, this process ends, and with it everything.
set -eu

mount --make-rprivate /
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/netns /run/lock /run/lab/home /run/lab/cgroup /run/lab/machines
mount -t cgroup2 lab /run/lab/cgroup

# --- the switch, on it the router and a peer (198.18.0.0/15 and 2001:2::/48 are set aside for benchmarks: RFC 2544, 5180)
ip link set lo up
ip link add swlan type bridge stp_state 0 forward_delay 0 mcast_snooping 0
ip addr add 198.18.0.1/24 dev swlan
ip addr add 198.18.0.9/24 dev swlan
ip link set swlan up
# What is sent from here to a machine comes from the peer.
ip route replace 198.18.0.0/24 dev swlan src 198.18.0.9
serves="--dhcp-range=198.18.0.100,198.18.0.199,1h --dhcp-option=option:router,198.18.0.1
    --dhcp-option=option:dns-server,198.18.0.1"
if [ "$LAB_SERVES" != v4 ]; then
    ip addr add 2001:2:0:1::1/64 dev swlan nodad
    ip addr add 2001:2:0:1::9/64 dev swlan nodad
    ip route replace 2001:2:0:1::/64 dev swlan src 2001:2:0:1::9
fi
if [ "$LAB_SERVES" = both ]; then
    # Addresses by DHCPv6 as well as out of the prefix: routers in offices and homes do both.
    serves="$serves --enable-ra --dhcp-range=2001:2:0:1::100,2001:2:0:1::1ff,slaac,64,1h
        --dhcp-option=option6:dns-server,[2001:2:0:1::1]"
fi
# shellcheck disable=SC2086
dnsmasq --conf-file=/dev/null --port=0 --interface=swlan --bind-interfaces --user=root --dhcp-authoritative --no-ping \
    $serves --dhcp-leasefile=/run/lab/lan.leases --pid-file=/run/lab/lan-dnsmasq.pid \
    --log-dhcp --log-facility=/run/lab/lan-dnsmasq.log

echo ready
# Not `exec cat`: bash also buries the dead, as an init must.
while read -r _; do :; done
