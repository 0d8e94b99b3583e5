#!/bin/busybox sh
# The first process of a guest that boots in the lab; guest.rs packs it with busybox and the kernel modules that it needs.
# The first serial port is the console, which only the lab's reports show. On the second one the guest takes commands, each
# a line `WORD COMMAND`, and answers with a line `WORD`, what the command says, a newline and a line `WORD STATUS`.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
exec </dev/null >/dev/ttyS0 2>&1
for module in /modules/*; do
    insmod "$module" || echo "$module can't be loaded"
done

# What udhcpc calls when it learns something.
cat >/bin/learned <<'LEARNED'
#!/bin/sh
case $1 in
deconfig) ip -4 addr flush dev "$interface" ;;
bound | renew)
    ip -4 addr flush dev "$interface"
    ip addr add "$ip/$mask" dev "$interface"
    [ -z "$router" ] || ip route add default via "${router%% *}" dev "$interface"
    ;;
esac
LEARNED
chmod +x /bin/learned

# Asks for an address when there is a carrier, and anew whenever it has come back; an address is kept while it's away.
ask() {
    seen= client=
    while :; do
        read -r changes <"/sys/class/net/$1/carrier_changes"
        read -r carrier <"/sys/class/net/$1/carrier"
        if [ "$changes" != "$seen" ] && [ "$carrier" = 1 ]; then
            [ -z "$client" ] || kill "$client"
            udhcpc -f -i "$1" -t 100 -T 1 -A 1 -s /bin/learned >/dev/null &
            client=$! seen=$changes
        fi
        usleep 100000
    done
}

ip link set lo up
for nic in /sys/class/net/eth*; do
    ip link set "${nic##*/}" up
    ask "${nic##*/}" &
done

stty -F /dev/ttyS1 115200 raw -echo clocal
echo "takes commands, up for $(cut -d' ' -f1 /proc/uptime) s"
exec <>/dev/ttyS1 >&0
while :; do
    read -r word command || sleep 1
    echo "$word"
    sh -c "$command" </dev/null 2>&1
    printf '\n%s %s\n' "$word" $?
done
