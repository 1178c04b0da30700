#!/usr/bin/env bash
# What a kubelet and Prometheus see of a running controller: health pages, metrics in both formats, TLS, and an end in order.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The port that the log names: serves {"what": ..., "port": ...}.
port_of() {
    jq -rR --arg what "$1" 'fromjson? | select(.msg == "serves" and .what == $what) | .port' "$work/controller.log" | tail -n 1
}

status_of() { # URL [CURL FLAG...]
    curl --silent --output "$work/body" --write-out '%{http_code}' --max-time 5 "$@" || true
}

page() {
    curl --silent --fail-with-body --max-time 5 "$@" || true
}

is_ready() {
    [[ $(status_of "$health/readyz") == 200 ]]
}

metric() { # SAMPLE
    page "$metrics/metrics" | awk -v name="$1" 'index($0, name " ") == 1 { print substr($0, length(name) + 2) }'
}

install_manifests
start_world
start_controller --leader-elect --leader-elect-namespace stagingrefresh-system \
    --health-probe-bind-address 127.0.0.1:0 --metrics-bind-address 127.0.0.1:0
check "it says where it serves" wait_for 10 "the ports" bash -c '[[ $(grep -c "\"serves\"" "$1") == 2 ]]' _ "$work/controller.log"
health=http://127.0.0.1:$(port_of health) metrics=http://127.0.0.1:$(port_of metrics)

equal "healthz" 200 "$(status_of "$health/healthz")"
equal "healthz says" ok "$(page "$health/healthz")"
equal "livez" 200 "$(status_of "$health/livez")"
equal "livez at length" $'[+]main ok\n[+]workers ok\n[+]lease ok\n[+]watches ok\n[+]events ok\nlivez check passed' "$(page "$health/livez?verbose")"
check "readyz, once the caches are filled and the lease is known" wait_for 30 "readiness" is_ready
equal "readyz at length" $'[+]running ok\n[+]caches ok\n[+]lease ok\nreadyz check passed' "$(page "$health/readyz?verbose")"
equal "one check" ok "$(page "$health/readyz/caches")"
equal "no such check" 404 "$(status_of "$health/readyz/nothing")"
equal "metrics are elsewhere" 404 "$(status_of "$health/metrics")"
equal "no other method" 405 "$(status_of --request POST "$health/healthz")"

check "it leads" wait_for 30 "leadership" bash -c 'curl -s "$1/metrics" | grep -q "^leader_election_master_status{name=\"stagingrefresh-controller\"} 1$"' _ "$metrics"
equal "classic text" "text/plain; version=0.0.4; charset=utf-8" \
    "$(curl --silent --output /dev/null --write-out '%{content_type}' "$metrics/metrics")"
equal "OpenMetrics" "application/openmetrics-text; version=1.0.0; charset=utf-8" \
    "$(curl --silent --output "$work/open" --write-out '%{content_type}' -H 'Accept: application/openmetrics-text;version=1.0.0' "$metrics/metrics")"
equal "its last line" "# EOF" "$(tail -n 1 "$work/open")"
equal "runs are there before the first" 0 "$(metric 'stagingrefresh_runs_total{result="Succeeded"}')"

start_kubelet staging
k apply -f "$root/manifests/samples/shop-cluster.yaml" >/dev/null
check "a run" k wait --for=condition=Succeeded sr/shop -n staging --timeout 240s
check "it is counted" wait_for 10 "the count" bash -c 'curl -s "$1/metrics" | grep -q "^stagingrefresh_runs_total{result=\"Succeeded\"} 1$"' _ "$metrics"
equal "copies of two databases" 2 "$(metric 'stagingrefresh_step_duration_seconds_count{step="Copy",result="Done"}')"
equal "seconds without a proxy target" 1 "$(metric 'stagingrefresh_proxy_without_target_seconds_count')"
equal "backups that AWS was asked for" 2 \
    "$(metric 'stagingrefresh_aws_requests_total{service="backup",operation="StartBackupJob",account="111111111111",code="OK"}')"
equal "passes that come again are counted" yes \
    "$([[ $(metric 'controller_runtime_reconcile_total{controller="stagingrefresh",result="requeue_after"}') -gt 0 ]] && echo yes)"
check "requests to the API server are counted" grep -q '^rest_client_requests_total{code="200",method="PATCH",host="' \
    <(page "$metrics/metrics")
check "process figures" grep -qE '^process_resident_memory_bytes [1-9]' <(page "$metrics/metrics")
equal "what is served and docs/metrics.md lacks" "" "$(page "$metrics/metrics" | sed -n 's/^# TYPE //p' |
    while read -r name type; do grep -qF "| \`$name\` | $type |" "$root/docs/metrics.md" || echo "$name"; done)"
# One for the caches, one when it has got the lease.
equal "lists of refreshes, in a stream or in pages" 2 "$(page "$metrics/metrics" |
    awk '/^stagingrefresh_watch_lists_total\{resource="stagingrefreshes"/ { sum += $2 } END { print sum }')"
equal "no object's name in a label" "" "$(page "$metrics/metrics" | grep -F 'shop' || true)"

started=$SECONDS
kill -TERM "$CONTROLLER_PID"
wait "$CONTROLLER_PID" && code=0 || code=$?
CONTROLLER_PID=
equal "exit status after SIGTERM" 0 "$code"
check "within ten seconds" test $((SECONDS - started)) -le 10
equal "nobody serves any more" 000 "$(status_of "$health/healthz")"

# An address that cannot be had is said, and ends it.
start_controller --metrics-bind-address 192.0.2.1:1
wait "$CONTROLLER_PID" && code=0 || code=$?
CONTROLLER_PID=
equal "exit status with an address that is not ours" 1 "$code"
check "and why" grep -q "192.0.2.1:1" "$work/controller.log"
finish
