#!/usr/bin/env bash
# The main job, as a user sees it: kubectl apply of accounts and a refresh, on a real API server, the controller being its own
# ServiceAccount; then the world is switched over, once each.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

install_manifests
start_world
start_controller
start_kubelet staging
k apply -f "$root/manifests/samples/shop-cluster.yaml" >/dev/null

check "kubectl wait for both accounts" k wait --for=condition=Ready awsaccount/production awsaccount/staging --timeout 30s
check "kubectl wait --for=condition=Ready" k wait --for=condition=Ready sr/shop -n staging --timeout 240s
check "kubectl wait --for=condition=Succeeded" k wait --for=condition=Succeeded sr/shop -n staging --timeout 5s

equal "phase" Succeeded "$(k get sr shop -n staging -o jsonpath='{.status.phase}')"
equal "percent" 100 "$(k get sr shop -n staging -o jsonpath='{.status.progress.percent}')"
equal "no condition Reconciling or Stalled" "" \
    "$(k get sr shop -n staging -o jsonpath='{.status.conditions[?(@.type=="Reconciling")].type}{.status.conditions[?(@.type=="Stalled")].type}')"
equal "observed generation" "$(k get sr shop -n staging -o jsonpath='{.metadata.generation}')" \
    "$(k get sr shop -n staging -o jsonpath='{.status.observedGeneration}')"
check_one_of_each
check_switched_over shop

endpoint=$(k get sr shop -n staging -o jsonpath='{.status.databases[?(@.name=="main")].endpoint}')
run=$(k get sr shop -n staging -o jsonpath='{.status.run.id}')
equal "the ConfigMap's key" "$endpoint" "$(k get configmap shop-databases -n staging -o jsonpath='{.data.DB_HOST}')"
equal "the Deployment was restarted by this run" "$run" \
    "$(k get deployment web -n staging -o jsonpath='{.spec.template.metadata.annotations.stagingrefresh\.dev/run}')"
equal "the Deployment has rolled out" 2 "$(k get deployment web -n staging -o jsonpath='{.status.availableReplicas}')"

check "kubectl get tells the story" grep -E "^shop +Succeeded +100% +$run +True" <(k get sr -n staging)
check "events tell it too" grep -q "RunSucceeded" <(k get events -n staging -o custom-columns=R:.reason)
check "kubectl explain" grep -q "masterUserPassword" <(k explain stagingrefresh.spec.databases.aurora)

# A canary: the password that staging's secret holds is nowhere to be seen.
k get sr,awsaccount,events -A -o yaml >"$work/objects.yaml"
password=$(sed -n 's/.*password: *"\{0,1\}\([^",}]*\).*/\1/p' "$root/hack/awssim/worlds/shop.yaml" | sort -u)
while IFS= read -r canary; do
    [[ -n $canary ]] || continue
    check "a password is in no object" bash -c '! grep -qF -e "$1" "$2"' _ "$canary" "$work/objects.yaml"
    check "a password is in no log line" bash -c '! grep -qF -e "$1" "$2"' _ "$canary" "$work/controller.log"
done <<<"$password"

# Nothing starts again by itself, and a new trigger starts one more run.
k annotate sr shop -n staging "stagingrefresh.dev/run-requested=again" >/dev/null
check "a requested run begins" wait_for 300 "another run" \
    bash -c '[[ $("$1" get sr shop -n staging -o jsonpath="{.status.run.id}") != "$2" ]]' _ "$SR_KUBECTL" "$run"

kill -TERM "$CONTROLLER_PID"
wait "$CONTROLLER_PID" && code=0 || code=$?
CONTROLLER_PID=
equal "exit status after SIGTERM" 0 "$code"
finish
