#!/bin/bash
# Boots a real systemd in namespaces of its own (processes, mounts, network, cgroups) over a throw-away
# overlay of this computer's root. boot.sh FOLDER CHECKOUT PYTHON PACKAGES: FOLDER is the test's own,
# PYTHON the folder with bin/python3 and lib, PACKAGES where .venv keeps its packages. The id of the process
# whose child is the systemd stands in FOLDER/unshare; killing either ends everything inside.
set -euo pipefail
FOLDER=$1 CHECKOUT=$2 PYTHON=$3 PACKAGES=$4 NAME=laundryd-test-$$
for hierarchy in /sys/fs/cgroup/unified /sys/fs/cgroup/systemd /sys/fs/cgroup; do
    [ -e "$hierarchy/cgroup.procs" ] || continue
    mkdir -p "$hierarchy/$NAME"
    echo "$hierarchy/$NAME" >> "$FOLDER/cgroups"
    echo $$ > "$hierarchy/$NAME/cgroup.procs"
done
inside() {
    M=$FOLDER/root
    mkdir -p "$M" "$FOLDER/layer"
    mount -t tmpfs -o size=512m tmpfs "$FOLDER/layer"
    mkdir "$FOLDER/layer/upper" "$FOLDER/layer/work"
    mount -t overlay -o "lowerdir=/,upperdir=$FOLDER/layer/upper,workdir=$FOLDER/layer/work" overlay "$M"
    mount -t proc proc "$M/proc"
    mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$M/sys"
    mount -t cgroup2 cgroup2 "$M/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 tmpfs "$M/dev"
    for device in null zero full random urandom tty; do
        touch "$M/dev/$device"
        mount --bind "/dev/$device" "$M/dev/$device"
    done
    mkdir "$M/dev/pts" "$M/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$M/dev/pts"
    ln -s pts/ptmx "$M/dev/ptmx"
    ln -s /proc/self/fd "$M/dev/fd"
    mount -t tmpfs tmpfs "$M/dev/shm"
    mount -t tmpfs -o mode=755 tmpfs "$M/run"
    mount -t tmpfs -o mode=1777 tmpfs "$M/tmp"
    # As docs/admin.md installs it, except that it is this checkout. All of it in /opt: the services see
    # no home, where checkout and Python may lie.
    rm -rf "$M/opt/laundryd" "$M/etc/laundryd" "$M/var/lib/laundryd-"* "$M/var/lib/private"
    mkdir -p "$M/opt/source" "$M/opt/python" "$M/opt/packages" "$M/opt/laundryd/bin" "$M/etc/laundryd"
    mount --bind "$CHECKOUT" "$M/opt/source"
    mount --bind "$PYTHON" "$M/opt/python"
    mount --bind "$PACKAGES" "$M/opt/packages"
    own=$M/opt/laundryd/lib/$(basename "$(dirname "$PACKAGES")")/site-packages
    mkdir -p "$own"
    printf '/opt/source\n/opt/packages\n' > "$own/checkout.pth"
    printf 'home = /opt/python/bin\ninclude-system-site-packages = false\n' > "$M/opt/laundryd/pyvenv.cfg"
    ln -s /opt/python/bin/python3 "$M/opt/laundryd/bin/python"
    printf '#!/opt/laundryd/bin/python\nfrom laundryd.cli import main\nmain()\n' > "$M/opt/laundryd/bin/laundryd"
    chmod 0755 "$M/opt/laundryd/bin/laundryd"
    # A Python that was built in a home looks for its own library there.
    mkdir -p "$M/etc/systemd/system.conf.d"
    printf '[Manager]\nDefaultEnvironment=LD_LIBRARY_PATH=/opt/python/lib\n' > "$M/etc/systemd/system.conf.d/python.conf"
    units=$M/etc/systemd/system
    rm -rf "$units"/*.wants "$units"/dbus-org.*
    : > "$M/etc/fstab"
    : > "$M/etc/machine-id"
    for unit in systemd-udevd systemd-udev-trigger systemd-networkd systemd-resolved systemd-timesyncd \
        systemd-logind getty@ console-getty systemd-binfmt systemd-modules-load systemd-sysctl \
        systemd-remount-fs systemd-firstboot ldconfig systemd-hwdb-update systemd-pstore \
        systemd-random-seed systemd-update-done systemd-update-utmp; do
        ln -sf /dev/null "$units/$unit.service"
    done
    for unit in dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
        sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount; do
        ln -sf /dev/null "$units/$unit"
    done
    printf '[Unit]\nRequires=basic.target\nAfter=basic.target\nAllowIsolate=yes\n' > "$units/box.target"
    ln -sf box.target "$units/default.target"
    ip link set lo up
    cd "$M"
    mkdir -p .old
    pivot_root . .old
    cd /
    umount -l /.old
    # Credentials reach a service by a mount that travels from namespace to namespace.
    mount --make-rshared /
    exec env -i container=box PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --log-target=journal --show-status=no
}
export -f inside
export FOLDER CHECKOUT PYTHON PACKAGES
unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child --propagation private \
    bash -euc inside &
echo $! > "$FOLDER/unshare"
wait
