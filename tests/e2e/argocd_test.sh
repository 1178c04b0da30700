#!/usr/bin/env bash
# Health for Argo CD: the scripts run under a plain Lua that has what Argo CD gives them (base and table), over every case of
# their health_test.yaml; the component puts them into argocd-cm; and the cases are objects that the API server accepts.
set -euo pipefail

: "${KUBECONFIG:?must name the kubeconfig of a cluster for tests}"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
root=$(cd "$here/../.." && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$root/hack/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$root/hack/lib/common.sh"

scripts=$root/manifests/argocd/resource_customizations/stagingrefresh.dev
lua=$(command -v lua5.4 || command -v lua5.3 || command -v lua5.1) || { say "no Lua" && exit 77; }
/usr/bin/python3 -c 'import yaml' 2>/dev/null || { say "no python3-yaml" && exit 77; }

work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
passed=0 failed=0

# check NAME COMMAND...
check() {
    local name=$1
    shift
    if "$@" >"$work/output" 2>&1 </dev/null; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        sed 's/^/     /' "$work/output"
    fi
}

# cases KIND: JSON of its health_test.yaml, one line per case: {status, message, inputPath}.
cases() {
    /usr/bin/python3 - "$scripts/$1/health_test.yaml" <<'END'
import json, sys, yaml
for case in yaml.safe_load(open(sys.argv[1]))["tests"]:
    print(json.dumps({"inputPath": case["inputPath"], **case["healthStatus"]}))
END
}

# health KIND FILE WANTED-STATUS WANTED-MESSAGE
health() {
    local got
    /usr/bin/python3 "$here/lua_table.py" "$2" >"$work/object.lua"
    got=$("$lua" "$here/health.lua" "$scripts/$1/health.lua" "$work/object.lua")
    if [[ $got != "$3"$'\n'"$4" ]]; then
        printf 'wanted %s: %s\ngot    %s\n' "$3" "$4" "${got/$'\n'/: }"
        return 1
    fi
}

# Objects as they are in the middle of things: nothing in them is there for sure.
partial() {
    local kind=$1 object
    while IFS= read -r object; do
        printf 'return %s\n' "$object" >"$work/object.lua"
        check "$kind: $object" "$lua" "$here/health.lua" "$scripts/$kind/health.lua" "$work/object.lua"
    done <<'END'
{metadata = {}}
{metadata = {generation = 1}, status = {}}
{metadata = {generation = 1}, status = {observedGeneration = 1}}
{metadata = {generation = 1}, spec = {}, status = {observedGeneration = 1, conditions = {}}}
{metadata = {generation = 1}, status = {observedGeneration = 1, conditions = {{type = "Ready", status = "Unknown"}}}}
{metadata = {generation = 1}, status = {observedGeneration = 1, conditions = {{type = "Stalled", status = "True"}}}}
END
}

# What the controller would write is what the schema takes: the object, then its status. Without the finalizer, which
# nobody here would take away.
accepted() {
    local object=$work/object.yaml
    sed '/^  finalizers:/d; /^  deletionTimestamp:/d' "$1" >"$object"
    "$SR_KUBECTL" create --validate=ignore -f "$object" &&
        "$SR_KUBECTL" replace --subresource=status --dry-run=server --validate=strict -f "$object" &&
        "$SR_KUBECTL" delete --wait --timeout=30s -f "$object"
}

none_is_forgotten() {
    diff <(cases "$1" | jq -r .inputPath | sort) <(cd "$scripts/$1" && printf '%s\n' testdata/*.yaml | sort)
}

one_kind() {
    local kind=$1 case file status message
    while IFS= read -r case; do
        file=$scripts/$kind/$(jq -r .inputPath <<<"$case")
        status=$(jq -r .status <<<"$case")
        message=$(jq -r .message <<<"$case")
        check "$kind/$(basename "$file" .yaml)" health "$kind" "$file" "$status" "$message"
        check "$kind/$(basename "$file" .yaml) is accepted" accepted "$file"
    done < <(cases "$kind")
    check "$kind: every object of testdata is tried" none_is_forgotten "$kind"
    partial "$kind"
}

# What argocd-cm holds under the key is the script, and what it held before is still there.
component() {
    local key=$1 kind=$2
    "$SR_KUBECTL" kustomize "$work/install" | "$SR_KUBECTL" create --dry-run=client -o json -f - >"$work/argocd-cm.json" &&
        jq -e '.metadata.name == "argocd-cm" and .metadata.namespace == "argocd" and .data.url == "https://argocd.example.com"' \
            "$work/argocd-cm.json" &&
        diff <(jq -r --arg key "$key" '.data[$key]' "$work/argocd-cm.json") <(cat "$scripts/$kind/health.lua" && echo)
}

# As the kustomization that installs Argo CD would have it.
install_of_argocd() {
    mkdir -p "$work/install/base"
    printf '%s\n' 'apiVersion: v1' 'kind: ConfigMap' 'metadata: {name: argocd-cm}' 'data: {url: "https://argocd.example.com"}' \
        >"$work/install/base/cm.yaml"
    printf '%s\n' "namespace: argocd" "resources: [cm.yaml]" >"$work/install/base/kustomization.yaml"
    cp -r "$root/manifests/argocd" "$work/install/component"
    printf '%s\n' "namespace: argocd" "resources: [base]" "components: [component]" >"$work/install/kustomization.yaml"
}

# The example's waves, and its objects.
waves() {
    "$SR_KUBECTL" kustomize "$root/manifests/argocd/example" |
        "$SR_KUBECTL" create --dry-run=client -o json -f - |
        jq -re '"\(.kind) \(.metadata.annotations["argocd.argoproj.io/sync-wave"])"' | sort >"$work/waves"
    diff "$work/waves" <(printf '%s\n' 'ConfigMap 0' 'Role 0' 'RoleBinding 0' 'StagingRefresh 1')
}

# A key that the example's Application does not compare is one that the example's refresh writes.
ignored() {
    /usr/bin/python3 - "$root/manifests/argocd" <<'END'
import sys, yaml
folder = sys.argv[1]
applications = list(yaml.safe_load_all(open(folder + "/application.yaml")))
assert [a["kind"] for a in applications] == ["Application", "Application"]
refresh = yaml.safe_load(open(folder + "/example/refresh.yaml"))
written = {("ConfigMap", p["configMap"]["name"], "/data/" + p["configMap"]["key"])
           for p in refresh["spec"]["switchover"]["parameters"] if "configMap" in p}
ignored = {(i["kind"], i["name"], pointer)
           for i in applications[1]["spec"]["ignoreDifferences"] for pointer in i["jsonPointers"]}
assert written == ignored, (written, ignored)
assert "RespectIgnoreDifferences=true" in applications[1]["spec"]["syncPolicy"]["syncOptions"]
END
}

"$SR_KUBECTL" apply --server-side --force-conflicts -k "$root/crds" >/dev/null
"$SR_KUBECTL" wait --for=condition=Established --timeout=60s crd/awsaccounts.stagingrefresh.dev \
    crd/stagingrefreshes.stagingrefresh.dev >/dev/null
"$SR_KUBECTL" get namespace staging >/dev/null 2>&1 || "$SR_KUBECTL" create namespace staging >/dev/null

for kind in StagingRefresh AWSAccount; do
    one_kind "$kind"
done
install_of_argocd
for kind in StagingRefresh AWSAccount; do
    check "argocd-cm holds the health of $kind" component "resource.customizations.health.stagingrefresh.dev_$kind" "$kind"
done
check "the example is accepted" "$SR_KUBECTL" apply --dry-run=server --validate=strict -k "$root/manifests/argocd/example"
check "the example's waves" waves
check "the example's ignored differences" ignored
printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0 && passed > 0))
