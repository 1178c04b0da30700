#!/usr/bin/env bash
# What people do with refreshes by the plugin, as kubectl calls it: follow one, approve it (and who may not), run, cancel, retry,
# switch back; and what kubectl's own get and describe tell them.
set -euo pipefail
export SR_TIME_SCALE=${SR_TIME_SCALE:-200} # slow enough to speak in between
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

mkdir "$work/bin"
ln -s "$SR_BUILD/kubectl-stagingrefresh" "$work/bin/kubectl-stagingrefresh"
export PATH=$work/bin:$PATH

# Runs the plugin through kubectl; what it says is in $work/out and $work/err.
plugin() {
    k stagingrefresh "$@" >"$work/out" 2>"$work/err" </dev/null
}

# code_of ARGS...: the exit status.
code_of() {
    local code=0
    plugin "$@" || code=$?
    echo "$code"
}

said() { # TEXT
    grep -qF -- "$1" "$work/out" "$work/err" || {
        cat "$work/out" "$work/err"
        return 1
    }
}

fact() { # JQ-FILTER
    k stagingrefresh status shop -n staging -o json 2>/dev/null | jq -r "$1"
}

is_awaiting() {
    [[ $(fact .awaitsApproval) == true ]]
}

phase_is() {
    [[ $(fact .phase) == "$1" ]]
}

# Events have a thread of their own, and come when they come.
described() { # REGEX
    k describe sr shop -n staging >"$work/describe"
    grep -q "$1" "$work/describe"
}

# as USER ARGS...: somebody else, who is known by a token of a ServiceAccount.
as() {
    local user=$1
    shift
    KUBECONFIG=$work/$user.kubeconfig plugin "$@"
}

# make_user NAME CLUSTERROLE...: a ServiceAccount with roles in the namespace, and its kubeconfig.
make_user() {
    local user=$1 role
    shift
    k create serviceaccount "$user" -n staging >/dev/null
    for role in "$@"; do
        k create rolebinding "$user-$role" -n staging --clusterrole="$role" --serviceaccount="staging:$user" >/dev/null
    done
    service_account_kubeconfig "$SR_KUBECTL" "$KUBECONFIG" staging "$user" "$work/$user.kubeconfig"
}

install_manifests
make_user editor edit view
make_user viewer view
make_user approver edit view stagingrefresh-approve
start_world
start_controller
start_kubelet staging

equal "a list of nothing" 0 "$(code_of status -n staging)"
check "it says so" said "No StagingRefreshes found in staging namespace."
equal "no such refresh" 1 "$(code_of status shop -n staging)"
equal "no command" 2 "$(code_of)"
equal "a slip" 2 "$(code_of aprove shop)"
check "what was meant" said 'did you mean "approve"?'
equal "a name is missing" 2 "$(code_of approve -n staging)"
check "how it is used" said "approve needs NAME"

sed 's/policy: Automatic/policy: Manual/' "$root/manifests/samples/shop-cluster.yaml" >"$work/shop.yaml"
k apply -f "$work/shop.yaml" >/dev/null
check "a run begins" wait_for 300 "the run" bash -c '[[ $("$1" stagingrefresh status shop -n staging -o json | jq -r .run) == 2* ]]' _ "$SR_KUBECTL"
equal "a run that nobody need approve yet" 1 "$(code_of approve shop -n staging)"
check "and why" said "nothing waits for approval"
check "it waits for approval" wait_for 1200 "approval" is_awaiting
run=$(fact .run)

check "kubectl get tells the story" grep -E "^shop +AwaitingApproval +95% +$run +Unknown" <(k get sr -n staging)
check "events tell what it waits for" wait_for 100 "the event" described "AwaitingApproval .*waits for approval: kubectl annotate"
check "events tell both databases" bash -c 'grep -q "BackupDone .*main: Backup" "$1" && grep -q "BackupDone .*sessions: Backup" "$1"' _ "$work/describe"
check "status is a tree" plugin status shop -n staging
check "with the steps" said "|   |-- + Copy"
check "and what is to be done" said "kubectl stagingrefresh approve shop -n staging"
check "no escapes when it is no terminal" bash -c '! grep -q $'"'\\033'"' "$1"' _ "$work/out"
check "the list too" plugin status -A
check "in one line" grep -qE "^staging +shop +AwaitingApproval .*waits for approval$" "$work/out"
check "the context and the file by flags" plugin status --kubeconfig "$KUBECONFIG" --context "$(k config current-context)" -n staging

check "a viewer sees it" as viewer status shop -n staging
check "but may not cancel" bash -c '! "$@"' _ env KUBECONFIG="$work/viewer.kubeconfig" "$SR_KUBECTL" stagingrefresh cancel shop -n staging
check "whoever may only edit may not approve" bash -c '! KUBECONFIG="$1" "$2" stagingrefresh approve shop -n staging >"$3" 2>&1' _ \
    "$work/editor.kubeconfig" "$SR_KUBECTL" "$work/err"
check "and is told who could change that" said "kubectl create rolebinding approvers -n NAMESPACE --clusterrole=stagingrefresh-approve"
check "in the API server's words too" said "stagingrefreshes/approve in namespace staging; system:serviceaccount:staging:editor may not"
check "nothing has come of it" is_awaiting
check "an approver approves" as approver approve shop -n staging
check "under their own name" said "is approved by system:serviceaccount:staging:approver"
check "the run succeeds" k wait --for=condition=Succeeded sr/shop -n staging --timeout 120s
equal "who it was" system:serviceaccount:staging:approver "$(fact .status.run.approval.by)"
check_switched_over shop
equal "nothing to retry" 1 "$(code_of retry shop -n staging)"
equal "nothing to cancel" 1 "$(code_of cancel shop -n staging)"
equal "nothing to go back to" 1 "$(code_of switch-to shop previous -n staging)"

k patch sr shop -n staging --type merge -p '{"spec":{"switchover":{"policy":"Automatic"}}}' >/dev/null
check "a run, and its end" plugin run shop -n staging --wait --timeout 4m
check "how it ended" said "succeeded: Staging uses the copies of run"
check "and how it went" said "main: Restore: Done"
check "not what was before" bash -c '! grep -q "approved by" "$1"' _ "$work/out"
second=$(fact .run)
check "another one" test "$second" != "$run"
check "back to the first" plugin switch-to shop previous -n staging
check "by its id" said "staging is to go onto the copies of run $run"
check "staging is there" wait_for 600 "the switch" bash -c '[[ $("$1" get sr shop -n staging -o json |
    jq -r "select(.status.phase == \"Succeeded\") | .status.run.copiesOf") == "$2" ]]' _ "$SR_KUBECTL" "$run"
check_switched_over shop
check "status says so" plugin status shop -n staging
check "which copies are used" said "of run $run"
switched=$(fact .run)
check "the one in use once more" plugin switch-to shop "$run" -n staging
check "that is a run of its own" wait_for 600 "another switch" bash -c '[[ $("$1" get sr shop -n staging -o json |
    jq --arg run "$2" ".status.phase == \"Succeeded\" and .status.run.id != \$run") == true ]]' _ "$SR_KUBECTL" "$switched"
equal "a run that is not kept" 1 "$(code_of switch-to shop 20250101-000000-xxxxx -n staging)"
check "which are" said "$run (in use)"

check "a run to cancel" plugin run shop -n staging
check "it copies" wait_for 600 "copying" phase_is Copying
check "cancel" plugin cancel shop -n staging
check "it ends" wait_for 1200 "the end" phase_is Failed
check "status tells why" plugin status shop -n staging
check "in a sentence" said "cancelled on request"
check "and how it goes on" said "kubectl stagingrefresh retry shop -n staging"
check "kubectl get tells it" grep -qE "^shop +Failed +[0-9]+% +" <(k get sr -n staging)
check "retry" plugin retry shop -n staging
check "it is under way again" wait_for 300 "another attempt" bash -c '[[ $("$1" get sr shop -n staging -o json | jq .status.run.attempt) -ge 2 ]]' _ "$SR_KUBECTL"

# What keeps a run from beginning is told at once.
k apply -f - >/dev/null <<YAML
$(k get sr shop -n staging -o json | jq 'del(.status, .metadata.annotations, .metadata.finalizers, .metadata.uid, .metadata.resourceVersion) |
    .metadata.name = "ledger" | .spec.series = "ledger" | .spec.databases |= map(if .aurora then .aurora.clusterIdentifier = "ledger" else . end)')
YAML
equal "what is not granted fails" 1 "$(code_of run ledger -n staging --wait --timeout 1m)"
check "and why" said "failed: "
check "the list tells it too" plugin status -n staging
check "as stalled" grep -qE "^ledger +Stalled " "$work/out"
finish
