#!/usr/bin/env bash
# oldest.sh BUILD-DIR: on the oldest Kubernetes that we support, what depends on its version most: schemas and their rules, the
# manifests, the client, a whole refresh. `SR_KUBERNETES=1.30 ctest -L e2e` in a fresh build folder is all of it.
set -euo pipefail

unset KUBEBUILDER_ASSETS
export SR_KUBERNETES=1.30
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/paths.sh"
SR_BUILD=$(cd "$1" && pwd -P)
state=$SR_BUILD/e2e-oldest
export SR_BUILD KUBECONFIG=$state/kubeconfig
passed=0 failed=0

run() {
    if "$@" >"$SR_BUILD/oldest.log" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "${1##*/}"
        tail -n 60 "$SR_BUILD/oldest.log"
    fi
}

"$SR_ROOT/hack/control-plane.sh" up "$state"
trap '"$SR_ROOT/hack/control-plane.sh" down "$state"' EXIT
"$SR_KUBECTL" version
run "$SR_BUILD/tests/e2e/e2e_kube_client_test"
for name in crds manifests main_job; do
    run "$SR_ROOT/tests/e2e/${name}_test.sh"
done
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
