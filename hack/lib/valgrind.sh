#!/usr/bin/env bash
# valgrind.sh BUILD-DIR: every test executable and one run of the binary under valgrind; any error or leak fails.
# Tests that drive other programs are left to the sanitizers.
set -euo pipefail

build=$1
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$root/hack/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$root/hack/lib/common.sh"
# shellcheck source=hack/lib/world.sh
source "$root/hack/lib/world.sh"

work=$(mktemp -d)
trap 'kill "${AWSSIM_PID:-}" 2>/dev/null || true; rm -rf -- "$work"' EXIT
passed=0 failed=0

# under NAME COMMAND...
under() {
    local name=$1
    shift
    if valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect \
        --child-silent-after-fork=yes --suppressions="$root/hack/lib/valgrind.supp" "$@" >"$work/out" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        tail -n 60 "$work/out"
    fi
}
export -f say

cd "$root"
one() {
    timeout 600 valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect \
        --errors-for-leak-kinds=definite,indirect --child-silent-after-fork=yes \
        --suppressions="$SR_ROOT/hack/lib/valgrind.supp" "$1" >"$2/$(basename "$1").out" 2>&1 </dev/null ||
        { touch "$2/$(basename "$1").failed"; }
}
export -f one
export SR_ROOT
# Unit tests and two simulations: the others differ in seeds, not in code. The test of credentials gives programs it starts a
# second to answer, which is too little here.
find "$build/tests" -type f -perm -u+x \( -name 'pkg_base_*_test' -o -name 'pkg_refresh_*_test' -o -name 'pkg_aws_*_test' -o -name 'controller_*_test' \
    -o -name simulation_lies_test -o -name simulation_settings_test \) ! -name pkg_aws_credentials_test -print0 |
    xargs -0 -P "$(nproc)" -I{} bash -c 'one "$1" "$2"' _ {} "$work"
for out in "$work"/*.out; do
    [[ -e $out ]] || continue
    name=$(basename "$out" .out)
    if [[ -e $work/$name.failed ]]; then
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        tail -n 60 "$out"
    else
        passed=$((passed + 1))
    fi
done

# A whole refresh over sockets.
awssim_start "$build" "$work" --world "$root/hack/awssim/worlds/shop.yaml" --time-scale 600 --seed 1
export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=example-secret AWS_ENDPOINT_URL=$AWSSIM_URL
under "stagingrefresh run" "$build/stagingrefresh" run -f "$root/manifests/samples/shop.yaml" --state-dir "$work/state" \
    --output json --time-scale 600

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
