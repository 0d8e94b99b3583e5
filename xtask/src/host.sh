# Makes the trees of the tests' machines. It is run by host.rs, in a mount namespace of its own, as
#     bash -c SCRIPT host DIR MIRROR PACKAGES [OPTION OF APT]...
set -eu
dir=$1 mirror=$2 packages=$3
shift 3
options=()
for option; do options+=("--aptopt=$option"); done

mount --make-rprivate /
# What people read takes as much room as what runs. ifupdown2 is only fetched, for the second tree.
mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' "${options[@]}" \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook='cd "$1/root" && APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get --quiet -o APT::Sandbox::User=root download ifupdown2' \
    --customize-hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname" "$1/etc/machine-id"; : >"$1/etc/resolv.conf"' \
    bookworm "$dir/debian" "$mirror"

# The same with ifupdown2 in the place of ifupdown; they share all other files. dpkg writes new ones, it changes none.
cp -al "$dir/debian" "$dir/debian-ifupdown2"
cd "$dir/debian-ifupdown2"
mount -t proc proc proc
rm -f usr/sbin/policy-rc.d
printf '#!/bin/sh\nexit 101\n' >usr/sbin/policy-rc.d
chmod 755 usr/sbin/policy-rc.d
chroot . env -i DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -euc '
    dpkg --force-depends --remove ifupdown
    dpkg --install /root/ifupdown2_*.deb'
rm -f usr/sbin/policy-rc.d
umount proc
