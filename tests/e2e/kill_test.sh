#!/usr/bin/env bash
# kill -9 of the controller in the middle of the copy, twice, then a start: Succeeded, still one of each.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

main_step() {
    k get sr shop -n staging -o json | jq -r '[.status.databases[]? | select(.name == "main") | .steps[] | select(.state == "Running") | .name][0] // ""'
}

# until_step NAME: the database main is at that step.
until_step() {
    # shellcheck disable=SC2016
    wait_for 600 "step $1" bash -c '[[ $("$0" get sr shop -n staging -o json |
        jq -r "[.status.databases[]? | select(.name == \"main\") | .steps[] | select(.state == \"Running\") | .name][0]") == "$1" ]]' "$SR_KUBECTL" "$1"
}

kill_controller() {
    kill -KILL "$CONTROLLER_PID"
    wait "$CONTROLLER_PID" 2>/dev/null || true
}

install_manifests
start_world
start_controller
k apply -f "$root/manifests/samples/shop.yaml" >/dev/null

for step in Backup Copy Restore; do
    check "main gets to $step" until_step "$step"
    kill_controller
    sleep 0.5 # the world goes on for five minutes without us
    start_controller
done
check "kubectl wait --for=condition=Ready" k wait --for=condition=Ready sr/shop -n staging --timeout 240s
check_one_of_each
check_switched_over shop
finish
