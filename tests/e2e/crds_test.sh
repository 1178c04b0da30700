#!/usr/bin/env bash
# What a real API server makes of the CustomResourceDefinitions, the samples and
# the roles.
#
#   crds/good/*.yaml      objects that are accepted
#   crds/bad/*.yaml       objects that are refused
#   crds/update/*.yaml    an object, and what it is changed to
#   crds/status/*.yaml    an object, and its status, as the controller writes it
#
# The first line of a file, "# refused: TEXT", says what the refusal must contain;
# without it the server must accept. Needs KUBECONFIG for an administrator of a
# cluster that is there for tests.
set -euo pipefail

: "${KUBECONFIG:?must name the kubeconfig of a cluster for tests}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$root/hack/lib/paths.sh"
kubectl=$SR_KUBECTL
[[ -x $kubectl ]] || kubectl=kubectl

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
passed=0
failed=0

pass() {
    passed=$((passed + 1))
}

# fail NAME WHY: the output of the last try is in $work/output.
fail() {
    failed=$((failed + 1))
    printf 'FAIL %s: %s\n' "$1" "$2"
    sed 's/^/     /' "$work/output"
}

# try COMMAND...: its exit status, with its output kept.
try() {
    "$@" >"$work/output" 2>&1 </dev/null
}

# expect NAME TEXT COMMAND...: the command is refused with TEXT; with no TEXT it succeeds.
expect() {
    local name=$1 text=$2
    shift 2
    if try "$@"; then
        if [[ -z $text ]]; then pass; else fail "$name" "was accepted, not refused with: $text"; fi
    elif [[ -z $text ]]; then
        fail "$name" "was refused"
    elif grep -qF -e "$text" "$work/output"; then
        pass
    else
        fail "$name" "was refused, but not with: $text"
    fi
}

# refusal FILE: what its first line says.
refusal() {
    sed -n '1s/^# refused: //p' "$1"
}

# submit FILE: as a user would, without leaving anything behind.
submit() {
    local verb=apply
    # apply does not know generateName.
    if grep -q generateName "$1"; then
        verb=create
    fi
    "$kubectl" "$verb" --dry-run=server --validate=strict -f "$1"
}

# becomes_true COMMAND...: Established comes a little before the server serves a kind.
becomes_true() {
    local try
    for try in {1..50}; do
        if "$@"; then
            return
        fi
        echo "try $try"
    done
    return 1
}

install_crds() {
    local crd
    "$kubectl" apply --server-side --force-conflicts -k "$root/crds" >/dev/null
    for crd in awsaccounts stagingrefreshes; do
        "$kubectl" wait --for=condition=Established --timeout=60s "crd/$crd.stagingrefresh.dev" >/dev/null
        # The server may have objections that do not keep it from serving the kind.
        expect "$crd is structural" '' [ -z "$("$kubectl" get crd "$crd.stagingrefresh.dev" \
            -o 'jsonpath={.status.conditions[?(@.type=="NonStructuralSchema")].message}')" ]
        expect "$crd is served" '' becomes_true "$kubectl" get "$crd.stagingrefresh.dev"
    done
}

new_objects() {
    local file
    for file in "$here"/crds/good/*.yaml "$here"/crds/bad/*.yaml; do
        expect "${file#"$here/crds/"}" "$(refusal "$file")" submit "$file"
    done
}

# split FILE: its documents become $work/documents/1.yaml, 2.yaml, ...
split() {
    rm -rf -- "$work/documents"
    mkdir "$work/documents"
    awk -v dir="$work/documents" 'BEGIN { n = 1 } /^---$/ { n++; next } { print >(dir "/" n ".yaml") }' "$1"
}

# remove FILE: the object in it, if there is one.
remove() {
    "$kubectl" delete --ignore-not-found --wait -f "$1" >/dev/null
}

updates() {
    local file name
    for file in "$here"/crds/update/*.yaml; do
        name=${file#"$here/crds/"}
        split "$file"
        remove "$work/documents/1.yaml"
        if try "$kubectl" apply --validate=strict -f "$work/documents/1.yaml"; then
            expect "$name" "$(refusal "$file")" submit "$work/documents/2.yaml"
        else
            fail "$name" "the object to change was refused"
        fi
        remove "$work/documents/1.yaml"
    done
}

statuses() {
    local file name
    for file in "$here"/crds/status/*.yaml; do
        name=${file#"$here/crds/"}
        remove "$file"
        # The status in the file is ignored here, but for its unknown fields.
        if try "$kubectl" apply --validate=ignore -f "$file"; then
            expect "$name" "$(refusal "$file")" \
                "$kubectl" replace --subresource=status --validate=strict -f "$file"
        else
            fail "$name" "the object was refused"
        fi
        [[ $name == status/refresh.yaml ]] && presentation
        remove "$file"
    done
}

# shows NAME PATTERN COMMAND...: the output of the command matches.
shows() {
    local name=$1 pattern=$2
    shift 2
    if try "$@" && grep -qE -e "$pattern" "$work/output"; then pass; else fail "$name" "does not show: $pattern"; fi
}

# With an object there that has a full status.
presentation() {
    shows 'columns' '^NAME +PHASE +PROGRESS +RUN +READY +AGE$' "$kubectl" get sr
    shows 'row' '^case +Restoring +62% ~41m +20261122-030002-k7x4q +Unknown +[0-9]' "$kubectl" get sr
    shows 'wide columns' 'AGE +TRIGGER +MESSAGE$' "$kubectl" get sr -o wide
    shows 'category' '^stagingrefresh.stagingrefresh.dev/case ' "$kubectl" get stagingrefresh
    shows 'frozen spec keeps what it does not know' '^true$' \
        "$kubectl" get sr case -o 'jsonpath={.status.run.spec.aFieldOfAnotherVersion.kept}'
    shows 'defaults' '^Queue 2 8h 14 Retain Report New$' "$kubectl" get sr case -o \
        'jsonpath={.spec.concurrencyPolicy} {.spec.backoffLimit} {.spec.timeouts.copy} {.spec.retention.recoveryPointDays} {.spec.deletionPolicy} {.spec.switchover.differences} {.spec.databases[0].recoveryPoint.from}'
    shows 'explain' 'At most 30 characters' \
        "$kubectl" explain sr.spec.databases.aurora.restore.identifierPrefix
    shows 'account columns' '^NAME +ACCOUNT +REGION +USAGE +READY +AGE$' account_columns
}

account_columns() {
    submit_for_real "$here/crds/status/account.yaml"
    "$kubectl" get awsacct
    remove "$here/crds/status/account.yaml"
}

submit_for_real() {
    "$kubectl" apply --validate=ignore -f "$1" >/dev/null
}

# allowed yes|no VERB RESOURCE...: what the controller may do.
allowed() {
    local want=$1 answer
    shift
    answer=$("$kubectl" auth can-i "$@" \
        --as=system:serviceaccount:stagingrefresh-system:stagingrefresh 2>/dev/null) || true
    printf '%s\n' "$answer" >"$work/output"
    if [[ $answer == "$want" ]]; then pass; else fail "can-i $*" "is not answered with $want"; fi
}

manifests() {
    local sample
    expect 'manifests/default' '' "$kubectl" apply --server-side --force-conflicts -k "$root/manifests/default"
    expect 'manifests/rbac/namespace' '' \
        "$kubectl" apply --dry-run=client --validate=strict -k "$root/manifests/rbac/namespace"
    # The ServiceAccount of a binding need not exist, but the namespace of an object must.
    "$kubectl" create namespace staging --dry-run=client -o yaml | "$kubectl" apply -f - >/dev/null 2>&1
    for sample in "$root"/manifests/samples/*.yaml; do
        expect "manifests/samples/${sample##*/}" '' \
            "$kubectl" apply --dry-run=server --validate=strict -f "$sample"
    done
}

rights() {
    local verb
    for verb in get list watch patch delete; do
        allowed yes "$verb" stagingrefreshes.stagingrefresh.dev --all-namespaces
    done
    for verb in create update deletecollection; do
        allowed no "$verb" stagingrefreshes.stagingrefresh.dev --all-namespaces
    done
    for verb in get list watch; do
        allowed yes "$verb" awsaccounts.stagingrefresh.dev
    done
    for verb in create update patch delete; do
        allowed no "$verb" awsaccounts.stagingrefresh.dev
    done
    allowed yes patch stagingrefreshes.stagingrefresh.dev --subresource=status --all-namespaces
    allowed yes patch awsaccounts.stagingrefresh.dev --subresource=status
    allowed no update stagingrefreshes.stagingrefresh.dev --subresource=approve --all-namespaces
    allowed yes create events.events.k8s.io --all-namespaces
    allowed yes patch events.events.k8s.io --all-namespaces
    allowed yes get namespaces/kube-system
    allowed no get namespaces/default
    allowed no list namespaces
    allowed yes create leases.coordination.k8s.io -n stagingrefresh-system
    allowed yes update leases.coordination.k8s.io/stagingrefresh-controller -n stagingrefresh-system
    allowed no update leases.coordination.k8s.io/other -n stagingrefresh-system
    allowed no create leases.coordination.k8s.io -n default
    for verb in get update; do
        allowed yes "$verb" configmaps/stagingrefresh-leftovers -n stagingrefresh-system
    done
    for verb in list watch patch delete; do
        allowed no "$verb" configmaps/stagingrefresh-leftovers -n stagingrefresh-system
    done
    allowed yes create configmaps -n stagingrefresh-system
    allowed no get configmaps/other -n stagingrefresh-system
    for verb in get list watch patch; do
        allowed no "$verb" secrets --all-namespaces
        allowed no "$verb" configmaps --all-namespaces
        allowed no "$verb" deployments.apps --all-namespaces
    done

    # What the sample grants in its namespace. The namespace itself stays: not every
    # cluster for tests has the controller that could empty it.
    split "$root/manifests/samples/shop-cluster.yaml"
    "$kubectl" apply -f "$work/documents/1.yaml" >/dev/null
    rm "$work/documents/1.yaml"
    expect 'shop-cluster.yaml' '' "$kubectl" apply -f "$work/documents"
    allowed yes patch configmaps/shop-databases -n staging
    allowed no patch configmaps/other -n staging
    allowed yes patch deployments.apps/web -n staging
    allowed no patch deployments.apps/other -n staging
    allowed no list secrets -n staging
    remove "$work/documents"
}

install_crds
new_objects
updates
statuses
manifests
rights
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
