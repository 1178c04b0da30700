#!/usr/bin/env bash
# Installs what is missing, on Debian 12 and 13; quick when nothing is.
#
#   setup.sh           what building and the quick tests need: Debian packages
#   setup.sh --tests   also what all tests need, into ~/.cache/stagingrefresh:
#                      the aws command and cfn-lint in Python environments of their
#                      own, and a Kubernetes control plane unless $KUBEBUILDER_ASSETS has one
#
# hack/lib/paths.sh says where the latter are.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$here/lib/common.sh"
# shellcheck source=hack/lib/controlplane.sh
source "$here/lib/controlplane.sh"

packages=(
    ca-certificates clang cmake curl gcc git jq libc6-dev libcjson-dev libcmocka-dev libcurl4-openssl-dev
    libmicrohttpd-dev libssl-dev libwebsockets-dev libyaml-dev ninja-build openssl pkg-config procps
    python3-venv shellcheck universal-ctags util-linux valgrind
)

# What only the slower tests need.
test_packages=(bubblewrap ccache iproute2 lua5.4 python3-yaml)

# The clang of each Debian release: for fuzzing, layout and static analysis.
declare -A clang_of=([12]=14 [13]=19)

debian_release() {
    # shellcheck source=/dev/null
    (source /etc/os-release && [[ ${ID:-} == debian ]] && echo "${VERSION_ID:-}")
}

# Prints those of the arguments that are not installed, one per line.
missing_packages() {
    local installed
    installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
    comm -23 <(printf '%s\n' "$@" | sort -u) <(sed -n 's/^installed //p' <<<"$installed" | sort -u)
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo -- "$@"
    fi
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet --yes -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
    local release clang missing log
    release=$(debian_release) || die "this is not Debian; install the counterparts of: ${packages[*]}"
    clang=${clang_of[$release]:-}
    [[ -n $clang ]] || die "only Debian ${!clang_of[*]} are known here, this is ${release:-unstable}"
    packages+=("clang-$clang" "clang-format-$clang" "clang-tidy-$clang" "libclang-rt-$clang-dev")

    mapfile -t missing < <(missing_packages "${packages[@]}")
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || command -v sudo >/dev/null || die "not root and no sudo; missing are: ${missing[*]}"
    say "Installing ${missing[*]}"
    mkdir -p "$SR_CACHE"
    log=$SR_CACHE/apt.log
    quietly "$log" apt_get update
    quietly "$log" apt_get install --no-install-recommends "${missing[@]}"
}

# install_python_tool NAME COMMAND: each has an environment of its own, with pinned packages.
install_python_tool() {
    local name=$1 command=$2
    [[ -x $command ]] || say "Installing $name"
    mkdir -p "$SR_CACHE/$name"
    (
        flock 9
        make_venv "$(dirname "$(dirname "$command")")" "$SR_ROOT/hack/lib/requirements-$name.txt"
    ) 9>"$SR_CACHE/$name/lock"
}

case "${1:-}" in
"")
    install_packages
    ;;
--tests)
    packages+=("${test_packages[@]}")
    install_packages
    install_python_tool aws "$SR_AWS"
    install_python_tool cfn-lint "$SR_CFN_LINT"
    if [[ -z ${KUBEBUILDER_ASSETS:-} || ! -x $KUBEBUILDER_ASSETS/kubectl ]]; then
        build_controlplane
    fi
    ;;
*)
    sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
