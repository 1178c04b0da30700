#!/usr/bin/env bash
# Assembles the controller's root file system: what the image holds, without Docker.
#
#   rootfs.sh DIR [PROGRAM]     DIR is new or empty; PROGRAM is build/stagingrefresh
#
# In it are the program, the shared libraries that ldd names and the loader, CA
# certificates, time zones, names for user and group 65532, and of each Debian
# package that a file is from its licence and its record, for scanners. The files
# come from this machine. Prints the size in the end.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/common.sh
source "$here/lib/common.sh"

zones=/usr/share/zoneinfo
certificates=/etc/ssl/certs/ca-certificates.crt

usage() {
    sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# What the program is linked with, and the loader; vdso has no file.
libraries_of() {
    ldd "$1" | sed -n 's|.* => \(/[^ ]*\) (.*|\1|p; s|^[[:space:]]*\(/[^ ]*\) (.*|\1|p'
}

# settle PATH: with the folder's links resolved, and the file's name kept: that is what the loader looks for.
settle() {
    printf '%s/%s\n' "$(realpath -- "$(dirname -- "$1")")" "$(basename -- "$1")"
}

# add FILE [MODE]: the same path below root, never a link.
add() {
    install -D --mode "${2:-0644}" -- "$1" "$root$1"
}

# Debian's folders of libraries are links into /usr, and the program names its loader by one.
add_links() {
    local name
    for name in lib lib32 lib64 libx32; do
        if [[ -L /$name ]]; then
            mkdir -p "$root/usr/$name"
            ln -s "usr/$name" "$root/$name"
        fi
    done
}

add_libraries() {
    local library
    while IFS= read -r library; do
        add "$(settle "$library")" 0755
        sources+=("$library")
    done < <(libraries_of "$program")
    ((${#sources[@]})) || die "$program is linked with nothing"
}

add_data() {
    add "$certificates"
    # The copies of all zones with other leap seconds are not what anybody means by a zone.
    find -L "$zones" -type f -not -path "$zones/right/*" -not -path "$zones/posix/*" -not -name '*.tab' \
        -not -name '*.list' -not -name '*.zi' -not -name leapseconds -not -name localtime -print0 |
        xargs -0 cp --parents --dereference --target-directory "$root" --
    sources+=(/usr/sbin/update-ca-certificates)
    sources+=("$zones/UTC")
}

add_names() {
    mkdir -p "$root/etc"
    printf '%s\n' 'root:x:0:0:root:/:/sbin/nologin' 'stagingrefresh:x:65532:65532::/:/sbin/nologin' >"$root/etc/passwd"
    printf '%s\n' 'root:x:0:' 'stagingrefresh:x:65532:' >"$root/etc/group"
    printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
    # Whoever runs the image mounts something here.
    mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/run/secrets" "$root/var"
    ln -s ../run "$root/var/run"
    mkdir -m 1777 "$root/tmp"
}

# The packages that the files are from, one per line; a file may be known by its path with or without /usr.
packages_of() {
    local file path paths=()
    for file in "$@"; do
        path=$(settle "$file")
        paths+=("$path" "${path#/usr}")
    done
    { dpkg-query --search "${paths[@]}" 2>/dev/null || true; } | sed -n 's/^\([^ ,]*\):.* \/.*/\1/p; s/^\([^ ,]*\), .*/\1/p' |
        sort -u
}

add_packages() {
    local package name
    mkdir -p "$root/var/lib/dpkg/status.d"
    while IFS= read -r package; do
        name=${package%%:*}
        dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$name"
        if [[ -e /usr/share/doc/$name/copyright ]]; then
            install -D --mode 0644 "/usr/share/doc/$name/copyright" "$root/usr/share/doc/$name/copyright"
        fi
    done < <(packages_of "${sources[@]}")
}

(($# == 1 || $# == 2)) || usage
root=$(realpath -m -- "$1")
program=$(realpath -- "${2:-$here/../build/stagingrefresh}")
[[ -x $program ]] || die "there is no program $program; build it first"
[[ ! -e $root || -z $(ls -A -- "$root") ]] || die "$root is not empty"
[[ -s $certificates && -d $zones ]] || die "ca-certificates and tzdata must be installed"
umask 022
mkdir -p -- "$root"

sources=()
add_links
install -D --mode 0755 --strip -- "$program" "$root/usr/bin/stagingrefresh"
add_libraries
add_data
add_names
if command -v dpkg-query >/dev/null; then
    add_packages
fi

part() {
    du --summarize --block-size=1K --apparent-size --total -- "$@" 2>/dev/null | awk 'END { printf "%.1f MB", $1 / 1024 }'
}
printf '%s: %s (program %s, libraries %s, time zones %s)\n' "$root" "$(part "$root")" \
    "$(part "$root/usr/bin")" "$(part "$root"/usr/lib*/)" "$(part "$root$zones")"
