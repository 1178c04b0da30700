# shellcheck shell=bash
# What the end-to-end tests share: a cluster that is there for them, a simulated AWS, the controller as its own ServiceAccount, and
# the part of a kubelet. Source it.
#
# Needs KUBECONFIG for an administrator, and SR_BUILD, the folder with the binaries.

: "${KUBECONFIG:?must name the kubeconfig of a cluster for tests}"
: "${SR_BUILD:?must name the folder with the binaries}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$root/hack/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$root/hack/lib/common.sh"
# shellcheck source=hack/lib/world.sh
source "$root/hack/lib/world.sh"

scale=${SR_TIME_SCALE:-600}
work=$(mktemp -d)
passed=0 failed=0
pids=()

k() {
    "$SR_KUBECTL" "$@"
}

# check NAME COMMAND...: counts it; says what it printed when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$work/check.out" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        sed 's/^/     /' "$work/check.out"
    fi
}

# equal NAME WANTED GOT
equal() {
    check "$1: wanted <$2>, got <$3>" test "$2" = "$3"
}

finish() {
    if ((failed)); then
        printf -- '--- the end of the controller'"'"'s log\n'
        tail -n 40 "$work/controller.log" 2>/dev/null || true
        k get sr -A -o yaml 2>/dev/null | sed -n '/status:/,$p' | head -n 150 || true
    fi
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0 && passed > 0)) || return
    # rights.py judges what the tests that have passed left in the audit log.
    [[ -z ${SR_AUDIT_LOG:-} ]] || basename "$0" _test.sh >>"$(dirname "$SR_AUDIT_LOG")/ran"
}

# All that a test has made goes, so that the next one finds the cluster as this one did.
tidy_up() {
    local pid
    for pid in "${CONTROLLER_PID:-}" "${AWSSIM_PID:-}" "${pids[@]}"; do
        [[ -n $pid ]] || continue
        pkill -P "$pid" 2>/dev/null # a loop's kubectl outlives the loop
        kill "$pid" 2>/dev/null
    done
    wait 2>/dev/null
    k delete sr --all -A --wait=false >/dev/null 2>&1
    k get sr -A -o json 2>/dev/null | jq -r '.items[] | select(.metadata.finalizers) | "\(.metadata.namespace) \(.metadata.name)"' |
        while read -r namespace name; do
            k patch sr -n "$namespace" "$name" --type merge -p '{"metadata":{"finalizers":null}}' >/dev/null 2>&1
        done
    k delete awsaccount --all >/dev/null 2>&1
    k delete namespace staging --wait=true --timeout=60s >/dev/null 2>&1
    rm -rf -- "$work"
}
trap 'tidy_up || true' EXIT

# The kinds, the rights, the namespace of the application.
install_manifests() {
    k apply --server-side --force-conflicts -k "$root/manifests/default" >/dev/null
    k wait --for=condition=Established crd/awsaccounts.stagingrefresh.dev crd/stagingrefreshes.stagingrefresh.dev \
        --timeout 30s >/dev/null
    k get namespace staging >/dev/null 2>&1 || k create namespace staging >/dev/null
    service_account_kubeconfig "$SR_KUBECTL" "$KUBECONFIG" stagingrefresh-system stagingrefresh "$work/controller.kubeconfig"
}

start_world() {
    awssim_start "$SR_BUILD" "$work" --world "$root/hack/awssim/worlds/shop.yaml" --time-scale "$scale" --seed 1 "$@"
    use_example_credentials "$AWSSIM_URL"
}

# start_controller [FLAG...]
start_controller() {
    "$SR_BUILD/stagingrefresh" controller --kubeconfig "$work/controller.kubeconfig" --time-scale "$scale" "$@" \
        >>"$work/controller.log" 2>&1 </dev/null &
    CONTROLLER_PID=$!
}

# proxy_settings JSON: see faulty_proxy.py
proxy_settings() {
    printf '%s\n' "$1" >"$work/proxy.part"
    mv "$work/proxy.part" "$work/proxy.json"
}

# start_proxy JSON: its URL is in $work/proxy.url then.
start_proxy() {
    proxy_settings "$1"
    "$root/tests/e2e/faulty_proxy.py" --upstream "$(k config view --minify -o jsonpath='{.clusters[0].cluster.server}')" \
        --pki "$(dirname "$KUBECONFIG")/pki" --settings "$work/proxy.json" --ready-file "$work/proxy.url" >"$work/proxy.log" 2>&1 </dev/null &
    pids+=($!)
    wait_for 100 "the proxy" test -s "$work/proxy.url"
}

put_behind_proxy() { # KUBECONFIG
    jq --arg server "$(<"$work/proxy.url")" '.clusters[0].cluster.server = $server' "$1" >"$1.part"
    mv "$1.part" "$1"
}

# Pods become Running and Ready as soon as they are there.
play_kubelet() {
    local namespace=$1 pod
    while :; do
        k get pods -n "$namespace" -o json 2>/dev/null |
            jq -r '.items[] | select(.status.phase == "Pending" and .metadata.deletionTimestamp == null) | .metadata.name' |
            while read -r pod; do
                k patch pod -n "$namespace" "$pod" --subresource=status --type merge -p '{"status": {"phase": "Running",
                    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}}' >/dev/null 2>&1
            done
        sleep 0.2
    done
}

start_kubelet() {
    play_kubelet "$1" &
    pids+=($!)
}

# How many calls of the operation had the effect.
journal_count() {
    sim journal | jq --arg op "$1" --arg effect "$2" 'map(select(.operation == $op and .effect == $effect)) | length'
}

# Calls that changed something in production, besides the starting of backups and copies.
production_changes() {
    sim journal | jq 'map(select(.account == "111111111111" and (.effect == "created" or .effect == "changed") and
        .operation != "StartBackupJob" and .operation != "StartCopyJob")) | length'
}

check_one_of_each() {
    equal "backups started, one per database" 2 "$(journal_count StartBackupJob created)"
    equal "copies started, one per database" 2 "$(journal_count StartCopyJob created)"
    equal "restores started, one per database" 2 "$(journal_count StartRestoreJob created)"
    equal "other changes in production" 0 "$(production_changes)"
}

# The proxy and the parameters are on the copies that status names.
check_switched_over() {
    local status cluster endpoint table
    status=$(k get sr "$1" -n staging -o json)
    cluster=$(jq -r '.status.databases[] | select(.name == "main") | .copyIdentifier' <<<"$status")
    endpoint=$(jq -r '.status.databases[] | select(.name == "main") | .endpoint' <<<"$status")
    table=$(jq -r '.status.databases[] | select(.name == "sessions") | .copyIdentifier' <<<"$status")
    sim world | jq '.accounts[] | select(.name == "staging")' >"$work/staging.json"
    equal "the proxy's target" "$cluster" "$(jq -r '.rds.proxies[0].target' "$work/staging.json")"
    equal "the proxy reaches it" AVAILABLE "$(jq -r '.rds.proxies[0].targets[0].state' "$work/staging.json")"
    equal "parameter db_host" "$endpoint" \
        "$(jq -r '.ssm.parameters[] | select(.name == "/shop/stg/db_host") | .value' "$work/staging.json")"
    equal "parameter sessions_table" "$table" \
        "$(jq -r '.ssm.parameters[] | select(.name == "/shop/stg/sessions_table") | .value' "$work/staging.json")"
}
