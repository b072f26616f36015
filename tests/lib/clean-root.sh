#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# tests/run.sh --clean-root: the README's two commands in a bare Debian 12, from a fresh clone: first
# perf/demo.sh by an ordinary user who may use sudo, then tests/run.sh by root. What both need, they
# must install themselves. Needs root; takes some 20 minutes; removes what it made.
#
#   WIRERX_CLEAN_RUN='perf/demo.sh'   only this command (as root)
#   WIRERX_CLEAN_KEEP=1               leave the root in place and say where it is

set -eu
cd "$(dirname "$0")/../.."

# Mounts and processes live in namespaces of their own and end with them, however this ends.
if [ -z "${WIRERX_CLEAN_ROOT:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "--clean-root needs root" >&2; exit 2; }
    configs/install-deps.sh --tests
    WIRERX_CLEAN_ROOT=$(mktemp -d /var/tmp/wirerx-root.XXXXXX)
    chmod 755 "$WIRERX_CLEAN_ROOT" # its / is for everybody
    export WIRERX_CLEAN_ROOT
    status=0
    unshare --mount --propagation private --pid --fork --kill-child "$0" || status=$?
    if [ -n "${WIRERX_CLEAN_KEEP:-}" ]; then
        echo "the root is left in $WIRERX_CLEAN_ROOT"
    else
        rm -rf --one-file-system "$WIRERX_CLEAN_ROOT"
    fi
    exit $status
fi
root=$WIRERX_CLEAN_ROOT
start=$SECONDS
say() {
    printf '%4d s  %s\n' $((SECONDS - start)) "$*"
}

say "debootstrap"
mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} \
    2>/dev/null | head -n 1 || true)
debootstrap --variant=minbase --include=ca-certificates,git,sudo bookworm "$root" \
    ${mirror:+"$mirror"} >"$root.log" 2>&1 || { tail -n 20 "$root.log"; exit 1; }
rm -f "$root.log"

# This machine's way to the archive, and nothing else of it.
for path in apt.conf.d sources.list sources.list.d; do
    rm -rf "$root/etc/apt/$path"
    [ ! -e /etc/apt/$path ] || cp -a /etc/apt/$path "$root/etc/apt/"
done
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
cp -L /etc/hosts "$root/etc/hosts"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t devtmpfs devtmpfs "$root/dev" 2>/dev/null || mount --bind /dev "$root/dev"
mkdir -p "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"

inside() { # inside USER COMMAND: as from that user's login shell
    chroot "$root" /usr/bin/env -i HOME="/home/$1" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        LANG=C.UTF-8 TERM="${TERM:-dumb}" CI="${CI:-}" su "$1" -c "$2" </dev/null
}
fresh_clone() { # fresh_clone USER: HEAD, or the working tree where there is no commit, in the user's home
    local home=$root/home/$1
    mkdir -p "$home/wirerx"
    if [ -z "${WIRERX_CLEAN_WORKTREE:-}" ] && git rev-parse -q --verify HEAD >/dev/null; then
        git clone -q --no-hardlinks . "$home/wirerx"
    else
        git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -cf - -T - |
            tar -xf - -C "$home/wirerx"
        git -C "$home/wirerx" init -q
    fi
    [ ! -d ../shared/feeds ] || { mkdir -p "$home/shared" && cp -r ../shared/feeds "$home/shared/"; }
    chroot "$root" chown -R "$1" "/home/$1"
}

chroot "$root" useradd --create-home --shell /bin/bash trader
echo 'trader ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/trader"
fresh_clone trader
fresh_clone root
if [ -n "${WIRERX_CLEAN_RUN:-}" ]; then
    say "$WIRERX_CLEAN_RUN"
    inside root "cd /home/root/wirerx && $WIRERX_CLEAN_RUN"
else
    say "perf/demo.sh, by an ordinary user"
    inside trader 'cd ~/wirerx && perf/demo.sh'
    say "tests/run.sh, by root"
    inside root 'cd /home/root/wirerx && tests/run.sh'
fi
say "done"
