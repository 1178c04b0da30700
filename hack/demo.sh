#!/usr/bin/env bash
# Sets up, builds, and refreshes a simulated staging account while you watch.
#
#   demo.sh            from the command line, without any cluster
#   demo.sh --cluster  through a real kube-apiserver, with kubectl
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$here/lib/common.sh"
# shellcheck source=hack/lib/world.sh
source "$here/lib/world.sh"

cluster=false
case ${1:-} in
'') ;;
--cluster) cluster=true ;;
--help | -h) sed -n '2,5s/^# \{0,1\}//p' "$0" && exit ;;
*) die "unknown argument $1; see --help" ;;
esac

# A refresh of some hundred minutes in some ten seconds.
scale=600
build=$SR_ROOT/build
work=$(mktemp -d)

tidy_up() {
    local pid
    for pid in "${CONTROLLER_PID:-}" "${WATCH_PID:-}" "${AWSSIM_PID:-}"; do
        [[ -n $pid ]] && kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null
    done
    $cluster && [[ -d $work/control-plane ]] && "$here/control-plane.sh" down "$work/control-plane" >/dev/null 2>&1
    rm -rf -- "$work"
}
trap 'tidy_up || true' EXIT

build_all() {
    (cd "$SR_ROOT" && quietly "$work/configure.log" cmake --preset release &&
        quietly "$work/build.log" cmake --build --preset release -j "$(nproc)" --target stagingrefresh awssim)
}

heading() {
    printf '\n%s\n' "$*"
}

show_after() {
    heading "What staging uses now:"
    show_staging
    heading "What AWS was asked to do (from the simulator's journal):"
    show_journal
}

demo_command_line() {
    heading "A refresh of production's databases into staging, one second being ten minutes:"
    "$build/stagingrefresh" run -f "$SR_ROOT/manifests/samples/shop.yaml" --state-dir "$work/state" --time-scale "$scale" \
        --output text
}

k() {
    "$SR_KUBECTL" --kubeconfig "$work/control-plane/kubeconfig" "$@"
}

# A line whenever what `kubectl get` says of the resource has changed.
follow() {
    k get sr shop -n staging --watch 2>/dev/null | awk '{ if ($2 != phase) print "  " $0; phase = $2; fflush() }'
}

demo_cluster() {
    heading "Starting etcd, kube-apiserver and kube-controller-manager"
    "$here/control-plane.sh" up "$work/control-plane"
    k apply --server-side -k "$SR_ROOT/manifests/default" >/dev/null
    k wait --for condition=Established crd --all --timeout 30s >/dev/null
    k create namespace staging >/dev/null
    service_account_kubeconfig "$SR_KUBECTL" "$work/control-plane/kubeconfig" stagingrefresh-system stagingrefresh \
        "$work/controller.kubeconfig"
    "$build/stagingrefresh" controller --kubeconfig "$work/controller.kubeconfig" --time-scale "$scale" >"$work/controller.log" 2>&1 &
    CONTROLLER_PID=$!
    heading "\$ kubectl apply -f manifests/samples/shop.yaml"
    k apply -f "$SR_ROOT/manifests/samples/shop.yaml"
    heading "\$ kubectl get sr shop -n staging --watch"
    follow &
    WATCH_PID=$!
    heading "\$ kubectl wait --for=condition=Ready sr/shop -n staging"
    k wait --for=condition=Ready sr/shop -n staging --timeout 150s || {
        tail -n 20 "$work/controller.log" >&2
        exit 1
    }
    sleep 1 # the watch's last lines
    heading "\$ kubectl get events -n staging"
    k get events -n staging --sort-by=.metadata.creationTimestamp -o custom-columns=REASON:.reason,MESSAGE:.message |
        cut -c1-150 | sed 's/^/  /'
}

if $cluster; then
    "$here/setup.sh" --tests
else
    "$here/setup.sh"
fi
say "Building"
build_all
started=$SECONDS
awssim_start "$build" "$work" --world "$SR_ROOT/hack/awssim/worlds/shop.yaml" --time-scale "$scale" --seed 1
use_example_credentials "$AWSSIM_URL"
heading "What staging uses, copies of last month:"
show_staging
if $cluster; then
    demo_cluster
else
    demo_command_line
fi
show_after
heading "Done in $((SECONDS - started)) s."
