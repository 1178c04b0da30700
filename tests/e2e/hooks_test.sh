#!/usr/bin/env bash
# A masking Job made from a suspended CronJob holds the switchover back until it is complete; its failure stops it, with the
# container's last words in the message. There is no kubelet: the test sets the status of the Job's pod.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# row NAME: state of a row of the switchover.
row() {
    k get sr shop -n staging -o json | jq -r --arg name "$1" '.status.switchover.steps[]? | select(.name == $name) | .state'
}

row_is() {
    [[ $(row "$1") == "$2" ]]
}

job_pod() {
    k get pods -n staging -l "batch.kubernetes.io/job-name=$1" -o jsonpath='{.items[0].metadata.name}'
}

# end_pod JOB PHASE CODE MESSAGE
end_pod() {
    local pod=
    wait_for 200 "the pod of Job $1" bash -c '[[ -n $("$0" get pods -n staging -l "batch.kubernetes.io/job-name=$1" -o name) ]]' "$SR_KUBECTL" "$1"
    pod=$(job_pod "$1")
    k patch pod -n staging "$pod" --subresource=status --type merge -p "$(jq -n --arg phase "$2" --argjson code "$3" --arg message "$4" '
        {status: {phase: $phase, containerStatuses: [{name: "mask", image: "mask", imageID: "", ready: false, restartCount: 0,
            state: {terminated: {exitCode: $code, message: $message, reason: "Error"}}}]}}')" >/dev/null
}

proxy_target() {
    sim world | jq -r '.accounts[] | select(.name == "staging") | .rds.proxies[0].target'
}

install_manifests
start_world
k apply -k "$root/manifests/rbac/namespace" >/dev/null
k apply -f - >/dev/null <<'YAML'
apiVersion: batch/v1
kind: CronJob
metadata: {name: mask-staging, namespace: staging}
spec:
  schedule: "0 0 1 1 *"
  suspend: true
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          containers:
          - {name: mask, image: mask, env: [{name: MODE, value: full}]}
YAML
k create secret generic shop-db -n staging --from-literal=host=before >/dev/null
start_controller
sed 's|^  switchover:$|  hooks:\n    beforeSwitchover:\n    - {name: mask, cronJob: {name: mask-staging}, timeout: 1000h, onFailure: Stop}\n  switchover:|
    s|^    parameters:$|&\n    - {name: key, value: $(databases.main.endpoint), secret: {name: shop-db, key: host}}|' \
    "$root/manifests/samples/shop.yaml" >"$work/refresh.yaml"
k apply -f "$work/refresh.yaml" >/dev/null
old=$(proxy_target)

check "the hook runs" wait_for 600 "BeforeHooks/mask" row_is BeforeHooks/mask Running
run=$(k get sr shop -n staging -o jsonpath='{.status.run.id}')
job=sr-mask-$run
endpoint=$(k get sr shop -n staging -o jsonpath='{.status.databases[?(@.name=="main")].endpoint}')
check "the Job is there" k get job "$job" -n staging
equal "it knows the endpoint" "$endpoint" "$(k get job "$job" -n staging -o json |
    jq -r '.spec.template.spec.containers[0].env[] | select(.name == "STAGINGREFRESH_MAIN_ENDPOINT") | .value')"
equal "it keeps its own environment" full "$(k get job "$job" -n staging -o json |
    jq -r '.spec.template.spec.containers[0].env[] | select(.name == "MODE") | .value')"
equal "it belongs to the refresh" shop "$(k get job "$job" -n staging -o jsonpath='{.metadata.ownerReferences[0].name}')"
equal "the proxy is where it was" "$old" "$(proxy_target)"
equal "and is not touched" Waiting "$(row Proxies/shop-stg)"

end_pod "$job" Succeeded 0 ""
check "then staging is switched over" k wait --for=condition=Ready sr/shop -n staging --timeout 240s
check_switched_over shop
equal "the Secret's key" "$endpoint" "$(k get secret shop-db -n staging -o jsonpath='{.data.host}' | base64 -d)"
equal "what it held before is kept" before \
    "$(k get secret stagingrefresh-shop -n staging -o json | jq -r '.data | to_entries[0].value | @base64d')"
new=$(proxy_target)

k annotate sr shop -n staging "stagingrefresh.dev/run-requested=again" >/dev/null
check "another run begins" wait_for 300 "another run" \
    bash -c '[[ $("$0" get sr shop -n staging -o jsonpath="{.status.run.id}") != "$1" ]]' "$SR_KUBECTL" "$run"
run=$(k get sr shop -n staging -o jsonpath='{.status.run.id}')
check "its hook runs" wait_for 600 "BeforeHooks/mask" row_is BeforeHooks/mask Running
end_pod "sr-mask-$run" Failed 1 "no rule for column users.phone"
check "its failure ends the run" k wait --for=condition=Stalled sr/shop -n staging --timeout 120s
equal "reason" HookFailed "$(k get sr shop -n staging -o jsonpath='{.status.conditions[?(@.type=="Ready")].reason}')"
check "the container's last words" grep -q "no rule for column users.phone" <(k get sr shop -n staging -o yaml)
equal "staging uses what it used before" "$new" "$(proxy_target)"

k annotate sr shop -n staging --overwrite "stagingrefresh.dev/run-requested=mended" >/dev/null
check "a third run begins" wait_for 300 "a third run" \
    bash -c '[[ $("$0" get sr shop -n staging -o jsonpath="{.status.run.id}") != "$1" ]]' "$SR_KUBECTL" "$run"
run=$(k get sr shop -n staging -o jsonpath='{.status.run.id}')
check "its hook runs" wait_for 600 "BeforeHooks/mask" row_is BeforeHooks/mask Running
end_pod "sr-mask-$run" Succeeded 0 ""
check "it goes through" k wait --for=condition=Ready sr/shop -n staging --timeout 240s
equal "what the key held before is kept, too" "$endpoint" "$(k get secret stagingrefresh-shop -n staging -o json |
    jq -r --arg run "$run" '.data | to_entries[] | select(.key | startswith($run)) | .value | @base64d')"
finish
