#!/usr/bin/env bash
# What GitOps tools make of a refresh as the controller really writes it: every version of the object is recorded through a run, a
# wait for a person, for a window and for a place in the series, a suspension and a cancellation, and every version of the
# AWSAccounts, of which one cannot be entered; of each kind of moment one is given to Argo CD's health scripts and to kstatus' own
# library.
set -euo pipefail
export SR_TIME_SCALE=${SR_TIME_SCALE:-200} # slow enough to speak in between
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=hack/lib/controlplane.sh
source "$root/hack/lib/controlplane.sh"

lua=$(command -v lua5.4 || command -v lua5.3 || command -v lua5.1) || { say "no Lua" && exit 77; }
find_go || { say "no Go that is new enough" && exit 77; }
scripts=$root/manifests/argocd/resource_customizations/stagingrefresh.dev

record() {
    k get sr -n staging -w -o json >>"$work/versions" 2>/dev/null &
    pids+=($!)
    k get awsaccount -w -o json >>"$work/accounts" 2>/dev/null &
    pids+=($!)
}

# Its role is not there.
make_shut_account() {
    k get awsaccount staging -o json | jq 'del(.status) | .metadata = {name: "shut"} |
        .spec.credentials.assumeRole.roleARN = "arn:aws:iam::222222222222:role/nobody"' | k create -f - >/dev/null
}

# reaches NAME PHASE
reaches() {
    check "$1 comes to $2" k wait --for=jsonpath='{.status.phase}'="$2" "sr/$1" -n staging --timeout 300s
}

run_of() { # NAME
    k get sr "$1" -n staging -o jsonpath='{.status.run.id}'
}

approve() { # NAME
    k annotate sr "$1" -n staging "stagingrefresh.dev/approve=$(run_of "$1")" "stagingrefresh.dev/approved-by=kubernetes-admin" >/dev/null
}

# change NAME SPEC
change() {
    k patch sr "$1" -n staging --type merge -p "{\"spec\":$2}" >/dev/null
}

# A window that is shut for days.
shut_window() {
    printf '{"days":["%s"],"from":"00:00","to":"00:01","timeZone":"UTC"}' "$(TZ=UTC date -d '+4 days' +%a)"
}

# health NUMBER WANTED
health() {
    local script
    script=$scripts/$(jq -r .kind "$work/moments/$1.json")/health.lua
    /usr/bin/python3 "$root/tests/e2e/lua_table.py" "$work/moments/$1.json" >"$work/object.lua"
    [[ $("$lua" "$root/tests/e2e/health.lua" "$script" "$work/object.lua" | head -n 1) == "$2" ]] || {
        "$lua" "$root/tests/e2e/health.lua" "$script" "$work/object.lua"
        jq -c '.status | {phase, conditions: [.conditions[] | {type, status, reason}]}' "$work/moments/$1.json"
        return 1
    }
}

computed() {
    (cd "$root/tests/e2e/kstatus" &&
        SR_MOMENTS=$work/moments GOWORK=off GOFLAGS=-mod=readonly CGO_ENABLED=0 "$GO" test -count=1 -v -run '^TestMoments$' ./...)
}

install_manifests
start_world
start_controller
start_kubelet staging
sed 's/policy: Automatic/policy: Manual/' "$root/manifests/samples/shop-cluster.yaml" >"$work/shop.yaml"
record
k apply -f "$work/shop.yaml" >/dev/null
make_shut_account
reaches shop AwaitingApproval

# Another one of the series waits, and is suspended while it does.
k get sr shop -n staging -o json |
    jq 'del(.status) | .metadata = {name: "next", namespace: "staging"} | .spec.series = "shop"' | k create -f - >/dev/null
reaches next Queued
change next '{"suspend":true}'
check "the suspension is seen" k wait --for=jsonpath='{.status.observedGeneration}'=2 sr/next -n staging --timeout 60s

# The window is shut until somebody takes it away.
change shop "{\"switchover\":{\"window\":$(shut_window)}}"
approve shop
reaches shop AwaitingWindow
change shop '{"switchover":{"window":null}}'
reaches shop Succeeded

# It is the other one's turn, and nobody wants it any more.
change next '{"suspend":false}'
reaches next BackingUp
k annotate sr next -n staging "stagingrefresh.dev/cancel=$(run_of next)" >/dev/null
reaches next Failed

check "the account that cannot be entered stalls" k wait --for=condition=Stalled awsaccount/shut --timeout 60s

mkdir "$work/moments"
cat "$work/accounts" "$work/versions" | /usr/bin/python3 "$root/tests/e2e/phases.py" "$work/moments" >"$work/moments/list"
for phase in BackingUp Copying Restoring Preparing AwaitingApproval AwaitingWindow SwitchingOver Queued Succeeded Failed \
    AWSAccount:Starting AWSAccount:IdentityProved AWSAccount:AccessDenied; do
    check "$phase was recorded" grep -q " $phase " "$work/moments/list"
done
while read -r number phase wanted _; do
    check "moment $number, $phase, is $wanted" health "$number" "$wanted"
done <"$work/moments/list"
check "kstatus computes what people would say" computed
printf '%d moments\n' "$(wc -l <"$work/moments/list")"
finish
