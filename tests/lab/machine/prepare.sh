# Lays a machine's disk over the tree, once in its life; later boots find it as it was left. It runs in the LAN's site as
#     bash -c SCRIPT prepare NAME TREE "UNITS TO ENABLE" "UNITS TO LEAVE"
set -eu
name=$1 tree=$2 enable=$3 leave=$4
m=/run/lab/machines/$name
mkdir -p "$m/disk" "$m/root"
# All that the machine writes is on this; Machine::fill makes it smaller.
mount -t tmpfs -o size=256m "disk-$name" "$m/disk"
mkdir "$m/disk/upper" "$m/disk/work"
mount -t overlay "$name" -o "lowerdir=$tree,upperdir=$m/disk/upper,workdir=$m/disk/work" "$m/root"
r=$m/root

echo "$name" >"$r/etc/hostname"
printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n::1\tlocalhost ip6-localhost ip6-loopback\n' "$name" >"$r/etc/hosts"
# A machine's DUID comes of this; it stays over reboots.
echo "$name" | md5sum | cut -c -32 >"$r/etc/machine-id"

# What the packages switch on, all of them, is switched off, and the one backend on. Chores of disks have no place here.
mask() { for unit; do ln -sf /dev/null "$r/etc/systemd/system/$unit"; done; }
units=$r/etc/systemd/system
rm -f "$units"/*.wants/{networking,NetworkManager*,systemd-networkd*}.service "$units"/dbus-org.freedesktop.nm-dispatcher.service
all="networking.service NetworkManager.service systemd-networkd.service systemd-networkd.socket
    NetworkManager-wait-online.service systemd-networkd-wait-online.service NetworkManager-dispatcher.service"
for unit in $all; do
    case " $enable $leave " in *" $unit "*) ;; *) mask "$unit" ;; esac
done
mask e2scrub_reap.service e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    systemd-pstore.service getty@tty1.service console-getty.service systemd-modules-load.service
for unit in $enable; do chroot "$r" systemctl --quiet enable "$unit"; done

# udev is to be told of the machine's NICs, and not to stir up the devices of the machine around us.
mkdir -p "$units/systemd-udev-trigger.service.d"
printf '[Service]\nExecStart=\nExecStart=-udevadm trigger --subsystem-match=net --action=add\n' \
    >"$units/systemd-udev-trigger.service.d/lab.conf"
