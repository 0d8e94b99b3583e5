# Switches a machine on. It runs in the LAN's site as
#     bash -c SCRIPT boot NAME CGROUP "NIC=MAC ..."
# and becomes the process that the machine ends with. The first line on stdout is said by what will be the machine's
# first process.
set -eu
name=$1 cgroup=/run/lab/cgroup/$2 nics=$3

# NICs are as new as a real machine's after a start: what was done to them before is gone.
ip netns add "$name"
for nic in $nics; do
    port=${nic%%=*} mac=${nic#*=}
    ip link add "$name-${port#enp}" type veth peer name "$port" address "$mac" netns "$name"
    ip link set "$name-${port#enp}" master swlan up
done

# Another run may just be sweeping empty groups away.
until mkdir -p "$cgroup" && echo $$ >"$cgroup/cgroup.procs"; do sleep 0.01; done 2>/dev/null

export LAB_ROOT=/run/lab/machines/$name/root LAB_NAME=$name
exec ip netns exec "$name" unshare -m -p -u -i -C -f --kill-child=KILL --propagation private bash -euc '
cd "$LAB_ROOT"
mkdir -p proc sys dev run tmp
mount -t proc proc proc
# Of the kernel, only what is of this network namespace can be set from here.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind proc/sys/net proc/sys/net
mount -o remount,bind,rw proc/sys/net
[ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
while read -r name major minor; do mknod -m 666 "dev/$name" c "$major" "$minor"; done <<NODES
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
mkdir dev/net dev/pts dev/shm
mknod -m 666 dev/net/tun c 10 200
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
mount -t tmpfs shm dev/shm
ln -s /proc/self/fd dev/fd
ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout
ln -s /proc/self/fd/2 dev/stderr
mount -t tmpfs -o mode=755 run run
mount -t tmpfs -o mode=1777 tmp tmp
mkdir -p usr/local/bin
: >>usr/local/bin/kvmnet
mount --bind "$LAB_KVMNET" usr/local/bin/kvmnet
mount -o remount,bind,ro usr/local/bin/kvmnet
hostname "$LAB_NAME"
mkdir -p .old
pivot_root . .old
umount -l .old
echo on
# The clock and the modules are those of the machine around us.
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
    setpriv --bounding-set=-sys_time,-sys_module,-mac_admin --inh-caps=-sys_time,-sys_module,-mac_admin \
    /lib/systemd/systemd --log-target=journal --show-status=no </dev/null >/dev/null 2>&1
'
