#!/usr/bin/env bash
# What a real API server makes of manifests/: everything is accepted, restricted Pod Security admits every pod, rights are as
# small as they are said to be, approving is for those who may, and the CronJobs do their work with no more than their roles.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

system=stagingrefresh-system
annotation=stagingrefresh.dev

# refused NAME TEXT COMMAND...: the command fails, and says TEXT.
refused() {
    local name=$1 text=$2
    shift 2
    if "$@" >"$work/refused" 2>&1 </dev/null; then
        echo "was not refused" >>"$work/refused"
        check "$name" bash -c 'cat "$1"; exit 1' _ "$work/refused"
    else
        check "$name" bash -c 'cat "$1"; tr -d "\n" <"$1" | grep -qF -e "$2"' _ "$work/refused" "$text"
    fi
}

# may NAME yes|no CAN-I-ARGUMENT...
may() {
    local name=$1 want=$2 got
    shift 2
    got=$(k auth can-i "$@" 2>/dev/null) || true
    equal "$name: $*" "$want" "$got"
}

rendered() {
    k kustomize "$root/manifests/$1"
}

# The default, with all components and what an overlay would patch.
overlay() {
    mkdir -p "$work/overlay"
    cp -r "$root/manifests" "$root/crds" "$work/overlay/"
    cat >"$work/overlay/kustomization.yaml" <<'END'
resources: [manifests/default]
components: [manifests/components/irsa, manifests/components/pod-identity, manifests/components/servicemonitor]
images:
- {name: stagingrefresh, newName: registry.example.com/stagingrefresh, digest: "sha256:0000000000000000000000000000000000000000000000000000000000000000"}
patches:
- target: {kind: ServiceAccount, name: stagingrefresh}
  patch: |-
    - op: replace
      path: /metadata/annotations/eks.amazonaws.com~1role-arn
      value: arn:aws:iam::333333333333:role/mine
END
    k kustomize "$work/overlay" >"$work/overlay.yaml"
    # A kind of Prometheus' operator is not served here.
    /usr/bin/python3 - "$work" <<'END'
import json, sys, yaml
work = sys.argv[1]
objects = [o for o in yaml.safe_load_all(open(work + "/overlay.yaml")) if o]
json.dump({"apiVersion": "v1", "kind": "List", "items": [o for o in objects if o["kind"] != "ServiceMonitor"]},
          open(work + "/overlay.json", "w"))
json.dump([o for o in objects], open(work + "/overlay-all.json", "w"))
END
}

everything_is_accepted() {
    local name
    k get namespace staging >/dev/null 2>&1 || k create namespace staging >/dev/null
    for name in default rbac/namespace cronjob/create cronjob/annotate argocd/example; do
        check "manifests/$name" k apply --dry-run=server --validate=strict --server-side --force-conflicts -k "$root/manifests/$name"
    done
    for name in "$root"/manifests/samples/*.yaml; do
        check "${name#"$root/"}" k apply --dry-run=server --validate=strict -f "$name"
    done
    check "the overlay with all components" overlay
    check "the overlay is accepted" k apply --dry-run=server --validate=strict --server-side --force-conflicts -f "$work/overlay.json"
}

# from_overlay FILTER: raw output of jq over the overlay's objects.
from_overlay() {
    jq -r "$1" "$work/overlay-all.json"
}

components() {
    equal "IRSA: the role of the overlay" arn:aws:iam::333333333333:role/mine \
        "$(from_overlay '.[] | select(.kind == "ServiceAccount") | .metadata.annotations["eks.amazonaws.com/role-arn"]')"
    equal "Pod Identity: the agent can be reached" '169.254.170.23/32 fd00:ec2::23/128 80' "$(from_overlay \
        '.[] | select(.kind == "NetworkPolicy") | .spec.egress[-1] | [.to[].ipBlock.cidr, (.ports[].port | tostring)] | join(" ")')"
    check "ServiceMonitor: it selects the Service, the Service the pods, the port is there" jq -e '
        (.[] | select(.kind == "ServiceMonitor")) as $monitor | (.[] | select(.kind == "Service")) as $service |
        (.[] | select(.kind == "Deployment")) as $deployment |
        def within($labels): to_entries | all(.value == $labels[.key]);
        ($monitor.spec.selector.matchLabels | within($service.metadata.labels)) and
        ($service.spec.selector | within($deployment.spec.template.metadata.labels)) and
        $monitor.spec.endpoints[0].port == $service.spec.ports[0].name and
        ([$deployment.spec.template.spec.containers[0].ports[].name] | index($service.spec.ports[0].targetPort) != null)' \
        "$work/overlay-all.json"
    equal "the image is pinned by its digest" "registry.example.com/stagingrefresh@sha256:$(printf '0%.0s' {1..64})" \
        "$(from_overlay '.[] | select(.kind == "Deployment") | .spec.template.spec.containers[0].image')"
}

labels() {
    local version
    version=$(sed -n 's/^project(stagingrefresh VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt")
    equal "every object has the recommended labels" "" "$(from_overlay '.[] |
        select(.metadata.labels | has("app.kubernetes.io/name") and has("app.kubernetes.io/part-of") and
        has("app.kubernetes.io/version") and has("app.kubernetes.io/managed-by") | not) | "\(.kind) \(.metadata.name)"')"
    equal "their version is the program's" "$version" "$(from_overlay '[.[] | .metadata.labels["app.kubernetes.io/version"],
        .spec.template.metadata.labels["app.kubernetes.io/version"] | values] | unique | join(" ")')"
    equal "no selector has a version" "" "$(from_overlay '.[] | .spec.selector? | select(type == "object") | .. | objects |
        select(has("app.kubernetes.io/version")) | keys[]')"
    equal "the lease of the role is the program's" "$(sed -n 's/^#define LEASE_NAME "\(.*\)"/\1/p' "$root/controller/cmd_controller_priv.h")" \
        "$(from_overlay '.[] | select(.kind == "Role") | .rules[] | select(.resources == ["leases"]) | .resourceNames // [] | .[]')"
}

pods_of() {
    k get pods -n "$1" -l "$2" -o json | jq '[.items[] | select(.metadata.deletionTimestamp == null)] | length'
}

has_pods() {
    [[ $(pods_of "$1" "$2") == "$3" ]]
}

# as_pod FILE FILTER NAME: the template that jq finds in the file's objects, as a pod in a namespace that is restricted.
as_pod() {
    k create --dry-run=client -o json -f "$1" | jq -c "$2" | head -n 1 |
        jq --arg name "$3" '{apiVersion: "v1", kind: "Pod", metadata: {name: $name, namespace: "restricted", labels: .metadata.labels},
            spec: (.spec | .serviceAccountName = "default")}' >"$work/pod.json"
    check "$3 is admitted to a restricted namespace" k create --dry-run=server --validate=strict -f "$work/pod.json"
    jq '.spec.containers[0].securityContext.allowPrivilegeEscalation = true' "$work/pod.json" >"$work/pod-bad.json"
    refused "$3 is not, with more privileges" 'violates PodSecurity "restricted:latest"' k create --dry-run=server -f "$work/pod-bad.json"
    check "$3: read-only root, requests, a memory limit" jq -e '
        .spec.containers[0] | .securityContext.readOnlyRootFilesystem and .resources.requests.cpu and .resources.requests.memory
        and .resources.limits.memory' "$work/pod.json"
}

pod_security() {
    k create namespace restricted --dry-run=client -o yaml | k apply -f - >/dev/null 2>&1
    k label namespace restricted --overwrite pod-security.kubernetes.io/enforce=restricted >/dev/null
    wait_for 100 "the ServiceAccount" k get serviceaccount default -n restricted
    rendered controller >"$work/controller.yaml"
    rendered cronjob/create >"$work/create.yaml"
    rendered cronjob/annotate >"$work/annotate.yaml"
    as_pod "$work/controller.yaml" 'select(.kind == "Deployment") | .spec.template' controller
    as_pod "$work/create.yaml" 'select(.kind == "CronJob") | .spec.jobTemplate.spec.template' create
    as_pod "$work/annotate.yaml" 'select(.kind == "CronJob") | .spec.jobTemplate.spec.template' annotate
    as_pod "$root/manifests/samples/shop-cluster.yaml" 'select(.kind == "Deployment") | .spec.template' web
    equal "the controller's namespace is restricted" restricted \
        "$(k get namespace "$system" -o jsonpath='{.metadata.labels.pod-security\.kubernetes\.io/enforce}')"
    check "the Deployment gets its two pods there" wait_for 300 "two pods" \
        has_pods "$system" app.kubernetes.io/component=controller 2
}

# Flags that the Deployment gives are ones that the program has.
flags() {
    local arg
    "$SR_BUILD/stagingrefresh" controller --help >"$work/help"
    for arg in $(from_overlay '.[] | select(.kind == "Deployment") | .spec.template.spec.containers[0].args[] | select(startswith("--"))'); do
        check "the program knows ${arg%%=*}, which the Deployment gives" grep -qE -e "^ *${arg%%=*}( |\$)" "$work/help"
    done
}

# Whoever views, edits or administers a namespace does the same with its refreshes.
people() {
    local verb role sr=stagingrefreshes.stagingrefresh.dev
    for role in view edit admin; do
        k create rolebinding "$role" --clusterrole="$role" --user="$role" -n staging --dry-run=client -o yaml | k apply -f - >/dev/null
    done
    check "roles are aggregated" wait_for 200 "aggregation" k auth can-i delete "$sr" -n staging --as=admin
    for verb in get list watch; do
        for role in view edit admin; do
            may "$role" yes "$verb" "$sr" -n staging --as="$role"
        done
    done
    for verb in create update patch delete deletecollection; do
        may view no "$verb" "$sr" -n staging --as=view
        may edit yes "$verb" "$sr" -n staging --as=edit
        may admin yes "$verb" "$sr" -n staging --as=admin
    done
    for role in view edit admin; do
        may "$role" yes get "$sr" --subresource=status -n staging --as="$role"
        may "$role" no patch "$sr" --subresource=status -n staging --as="$role"
        may "$role" no update "$sr" --subresource=approve -n staging --as="$role"
        may "$role" no get "$sr" -n default --as="$role"
        may "$role" no create awsaccounts.stagingrefresh.dev --as="$role"
    done
}

# --- Approval: edna may edit, anna may approve, amos may approve `case` alone ---

object() {
    sed "s/name: shop\$/name: $1/; /^  generation:/d" \
        "$root/manifests/argocd/resource_customizations/stagingrefresh.dev/StagingRefresh/testdata/fresh.yaml"
}

# approve USER NAME ANNOTATION...
approve() {
    local user=$1 name=$2
    shift 2
    k annotate sr "$name" -n staging --overwrite --as="$user" "${@/#/$annotation/}"
}

# create_with USER NAME APPROVED-BY: an object that is approved from the start; - for nobody.
create_with() {
    local annotations=("$annotation/approve=run-1")
    [[ $3 == - ]] || annotations+=("$annotation/approved-by=$3")
    object "$2" | k annotate --local -f - -o yaml "${annotations[@]}" >"$work/approved.yaml"
    k create --dry-run=server --as="$1" -f "$work/approved.yaml"
}

policy_holds() {
    ! create_with edna early edna
}

approval() {
    local name own='must be the name of who approves' right='may not'
    for name in edna anna amos; do
        k create rolebinding "$name" --clusterrole=edit --user="$name" -n staging --dry-run=client -o yaml | k apply -f - >/dev/null
    done
    k create rolebinding approvers --clusterrole=stagingrefresh-approve --user=anna -n staging --dry-run=client -o yaml | k apply -f - >/dev/null
    k create role approve-case --verb=update --resource=stagingrefreshes.stagingrefresh.dev/approve --resource-name=case -n staging \
        --dry-run=client -o yaml | k apply -f - >/dev/null
    k create rolebinding amos-case --role=approve-case --user=amos -n staging --dry-run=client -o yaml | k apply -f - >/dev/null
    check "the policy has no faults" test -z \
        "$(k get validatingadmissionpolicy stagingrefresh-approval -o jsonpath='{.status.typeChecking.expressionWarnings}')"
    check "the policy is in force" wait_for 300 "the policy" policy_holds

    # When an object is created.
    check "created as approved by who may for this one" create_with amos case amos
    refused "created as approved by who may for another one" "$right" create_with amos new amos
    for name in case other; do
        check "who may edit creates $name" bash -c '"$1" create --as=edna -f - <"$2"' _ "$SR_KUBECTL" <(object "$name")
    done
    refused "created as approved by who may not" "$right" create_with edna new edna
    refused "created as approved by nobody" "$own" create_with anna new -
    refused "created as approved by another" "$own" create_with anna new edna
    check "created as approved by who may" create_with anna new anna

    # When it is changed.
    refused "approved by who may not" "$right" approve edna case approve=run-1 approved-by=edna
    refused "approved by who may not, in the name of who may" "$right" approve edna case approve=run-1 approved-by=anna
    refused "only signed by who may not" "$right" approve edna case approved-by=edna
    refused "an empty approval by who may not" "$right" approve edna case approve=
    refused "approved by who may, in another's name" "$own" approve anna case approve=run-1 approved-by=edna
    refused "approved by who may, in nobody's name" "$own" approve anna case approve=run-1
    refused "approved by who may for another object" "$right" approve amos other approve=run-1 approved-by=amos
    check "approved by who may for this object" approve amos case approve=run-1 approved-by=amos
    refused "the next run under the old signature" "$own" approve anna case approve=run-2
    check "the next run under one's own" approve anna case approve=run-2 approved-by=anna
    refused "another's signature under it" "$own" approve amos case approved-by=edna
    refused "the signature taken away" "$own" approve anna case approved-by-
    refused "taken back by who may not" "$right" approve edna case approve- approved-by-

    # Everybody else goes on as before.
    check "an approved object is edited by who may only edit" k patch sr case -n staging --as=edna --type merge -p '{"spec":{"trigger":"2"}}'
    check "and annotated" approve edna case run-requested=1
    check "the controller sets its finalizer" k patch sr case -n staging --as="system:serviceaccount:$system:stagingrefresh" \
        --type merge -p '{"metadata":{"finalizers":["stagingrefresh.dev/cleanup"]}}'
    refused "the controller does not approve" "$right" k annotate sr case -n staging --overwrite \
        --as="system:serviceaccount:$system:stagingrefresh" "$annotation/approve=run-3"
    check "and takes its finalizer away" k patch sr case -n staging --as="system:serviceaccount:$system:stagingrefresh" \
        --type merge -p '{"metadata":{"finalizers":[]}}'
    check "taken back by who may" approve amos case approve- approved-by-
    check "server-side apply by who may only edit" bash -c '"$1" apply --server-side --force-conflicts --as=edna -f "$2"' _ \
        "$SR_KUBECTL" <(object case)
    k delete sr case other -n staging >/dev/null
}

# --- The CronJobs: the Jobs that the cluster makes of them, and their commands as their ServiceAccounts ---

# job_of NAME: what the CronJob would do now.
job_of() {
    k create job "$1-now" --from="cronjob/$1" -n staging && wait_for 300 "the Job's pod" has_pods staging "job-name=$1-now" 1
}

# run_pod JOB: its command, with the variables and files that the kubelet would give it, as its ServiceAccount.
run_pod() {
    local pod=$1 account config variable path args=()
    k get pods -n staging -l "job-name=$pod" -o json | jq '.items[0]' >"$work/$pod.json"
    account=$(jq -r .spec.serviceAccountName "$work/$pod.json")
    service_account_kubeconfig "$SR_KUBECTL" "$KUBECONFIG" staging "$account" "$work/$account.kubeconfig"
    mapfile -t args < <(jq -r '.spec.containers[0].args[]' "$work/$pod.json")
    variable=$(jq -r '.metadata.labels["batch.kubernetes.io/job-name"]' "$work/$pod.json")
    args=("${args[@]//'$(JOB)'/$variable}")
    config=$(jq -r '.spec.volumes[] | .configMap.name // empty' "$work/$pod.json")
    if [[ -n $config ]]; then
        path=$(jq -r '.spec.containers[0].volumeMounts[] | select(.name == "refresh") | .mountPath' "$work/$pod.json")
        k get configmap "$config" -n staging -o json | jq -r '.data["refresh.yaml"]' >"$work/refresh.yaml"
        args=("${args[@]//$path\/refresh.yaml/$work/refresh.yaml}")
    fi
    env -u KUBECONFIG HOME="$work" "$SR_KUBECTL" --kubeconfig "$work/$account.kubeconfig" --namespace staging "${args[@]}"
}

cron_jobs() {
    k apply --server-side -k "$root/manifests/cronjob/create" >/dev/null
    k apply --server-side -k "$root/manifests/cronjob/annotate" >/dev/null
    check "create: a Job and its pod" job_of nightly-refresh
    check "create: it creates" run_pod nightly-refresh-now
    check "create: and again" run_pod nightly-refresh-now
    equal "create: two objects of one series" '2 nightly' \
        "$(k get sr -n staging -o json | jq -r '.items | "\(length) \([.[].spec.series] | unique | join(" "))"')"
    may "create" no list stagingrefreshes.stagingrefresh.dev -n staging --as=system:serviceaccount:staging:nightly-refresh
    may "create" no patch stagingrefreshes.stagingrefresh.dev -n staging --as=system:serviceaccount:staging:nightly-refresh
    may "create" no get secrets -n staging --as=system:serviceaccount:staging:nightly-refresh

    object shop | k create -f - >/dev/null
    check "annotate: a Job and its pod" job_of shop-nightly
    check "annotate: it annotates" run_pod shop-nightly-now
    check "annotate: a second try" run_pod shop-nightly-now
    equal "annotate: the request names the Job" shop-nightly-now \
        "$(k get sr shop -n staging -o jsonpath='{.metadata.annotations.stagingrefresh\.dev/run-requested}')"
    may "annotate" no patch stagingrefreshes.stagingrefresh.dev/other -n staging --as=system:serviceaccount:staging:shop-nightly
    may "annotate" no create stagingrefreshes.stagingrefresh.dev -n staging --as=system:serviceaccount:staging:shop-nightly
    refused "annotate: it does not approve" "may not" k annotate sr shop -n staging --as=system:serviceaccount:staging:shop-nightly \
        "$annotation/approve=run-1" "$annotation/approved-by=system:serviceaccount:staging:shop-nightly"
    k delete cronjob,job --all -n staging >/dev/null
}

install_manifests
everything_is_accepted
components
labels
flags
pod_security
people
approval
cron_jobs
k delete namespace restricted --wait=false >/dev/null
finish
