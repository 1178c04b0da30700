#!/usr/bin/env bash
# The image's root file system, as hack/rootfs.sh assembles it: the program runs in it with nothing else, as the Deployment
# runs it, which is as user 65532, without capabilities, on a read-only root, and as process 1.
set -euo pipefail
# shellcheck source=tests/e2e/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

in_rootfs=(bwrap --ro-bind "$work/rootfs" / --proc /proc --dev /dev --tmpfs /run --unshare-all --share-net --as-pid-1
    --uid 65532 --gid 65532 --cap-drop ALL --clearenv --new-session --die-with-parent)

skip() {
    say "$*"
    exit 77
}

has_no_world_writable() {
    [[ -z $(find "$work/rootfs" -perm -0002 -not -type l -not -path "$work/rootfs/tmp") ]]
}

has_no_setuid() {
    [[ -z $(find "$work/rootfs" -perm /6000) ]]
}

only_the_program() {
    [[ $(find "$work/rootfs" -type f -perm /0111 -not -path '*/usr/lib*') == "$work/rootfs/usr/bin/stagingrefresh" ]]
}

version_of_cmake() {
    sed -n 's/^project(stagingrefresh VERSION \([0-9.]*\).*/\1/p' "$root/CMakeLists.txt"
}

laid_out() {
    "$root/hack/rootfs.sh" "$work/rootfs" "$SR_BUILD/stagingrefresh"
}

free_port() {
    local port
    while :; do
        port=$((10240 + SRANDOM % 20000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# status_line FIELD: of the program in its namespaces.
status_line() {
    sed -n "s/^$1:[[:space:]]*//p" "/proc/$child/status"
}

holds_the_lease() {
    [[ -n $(k get lease -n stagingrefresh-system stagingrefresh-controller -o jsonpath='{.spec.holderIdentity}') ]]
}

# The arguments of the Deployment, with addresses that are free here.
deployment_args() {
    k kustomize "$root/manifests/controller" >"$work/deployment.yaml"
    mapfile -t args < <(k create --dry-run=client -o json -f "$work/deployment.yaml" |
        jq -r 'select(.kind == "Deployment") | .spec.template.spec.containers[0].args[]')
    metrics_port=$(free_port)
    health_port=$(free_port)
    args=("${args[@]/#--metrics-bind-address=:8080/--metrics-bind-address=127.0.0.1:$metrics_port}")
    args=("${args[@]/#--health-probe-bind-address=:8081/--health-probe-bind-address=127.0.0.1:$health_port}")
}

fetch() {
    curl --silent --fail --noproxy '*' --max-time 10 "$@"
}

command -v bwrap >/dev/null || skip "no bubblewrap"
bwrap --ro-bind / / --unshare-user --uid 65532 true 2>/dev/null || skip "no user namespaces here"

# What is in it.
check "hack/rootfs.sh" laid_out
sed -n '$p' "$work/check.out"
laid_out >/dev/null 2>&1 && again=0 || again=1
equal "a folder that is not empty is refused" 1 "$again"
check "nothing can be written by everybody but /tmp" has_no_world_writable
check "nothing runs as somebody else" has_no_setuid
check "nothing can be run but the program" only_the_program
check "CA certificates" grep -q 'BEGIN CERTIFICATE' "$work/rootfs/etc/ssl/certs/ca-certificates.crt"
check "time zones" test -s "$work/rootfs/usr/share/zoneinfo/Asia/Tokyo"
check "user 65532 has a name" grep -q '^stagingrefresh:x:65532:65532:' "$work/rootfs/etc/passwd"
equal "--version" "stagingrefresh $(version_of_cmake)" "$("${in_rootfs[@]}" /usr/bin/stagingrefresh --version 2>&1)"
check "the libraries are its own" "${in_rootfs[@]}" --setenv LD_BIND_NOW 1 /usr/bin/stagingrefresh controller --help

# The controller in it.
install_manifests
start_world
deployment_args
exec 9>"$work/info"
"${in_rootfs[@]}" --ro-bind "$work/controller.kubeconfig" /run/kubeconfig --remount-ro /run --info-fd 9 \
    --setenv AWS_ACCESS_KEY_ID "$AWS_ACCESS_KEY_ID" --setenv AWS_SECRET_ACCESS_KEY "$AWS_SECRET_ACCESS_KEY" \
    --setenv AWS_ENDPOINT_URL "$AWS_ENDPOINT_URL" --setenv AWS_REGION "$AWS_REGION" --setenv MALLOC_ARENA_MAX 2 \
    /usr/bin/stagingrefresh "${args[@]}" --kubeconfig /run/kubeconfig --leader-elect-namespace stagingrefresh-system \
    >"$work/controller.log" 2>&1 </dev/null &
CONTROLLER_PID=$!
exec 9>&-
check "it has started" wait_for 100 "bwrap" grep -q child-pid "$work/info"
child=$(jq -r '."child-pid"' "$work/info")
pids+=("$child")

check "it becomes the leader" wait_for 600 "the lease" holds_the_lease
k apply -f "$root/manifests/samples/shop-cluster.yaml" >/dev/null
check "it reaches AWS as both accounts" k wait --for=condition=Ready awsaccount/production awsaccount/staging --timeout 60s
check "it starts the refresh" k wait --for=jsonpath='{.status.run.id}' sr/shop -n staging --timeout 60s
equal "user" "65532 0 1" "$(xargs <"/proc/$child/uid_map" | sed "s/ $(id -u) / 0 /")"
equal "capabilities" "0000000000000000 0000000000000000" "$(status_line CapEff) $(status_line CapPrm)"
equal "no new privileges" 1 "$(status_line NoNewPrivs)"
check "its root is read-only" grep -qE '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / ro[, ]' "/proc/$child/mountinfo"
equal "it is process 1" 1 "$(status_line NSpid | awk '{ print $NF }')"

if [[ " ${args[*]} " == *--health-probe-bind-address* ]]; then
    check "/healthz" fetch "http://127.0.0.1:$health_port/healthz"
    check "/readyz" fetch "http://127.0.0.1:$health_port/readyz"
    check "/metrics" grep -q '^# TYPE ' <(fetch "http://127.0.0.1:$metrics_port/metrics")
fi
printf 'Resident memory: %s\n' "$(status_line VmRSS)"

kill -TERM "$child"
wait "$CONTROLLER_PID" && code=0 || code=$?
CONTROLLER_PID=
equal "exit status of process 1 after SIGTERM" 0 "$code"
equal "the lease is free again" "" \
    "$(k get lease -n stagingrefresh-system stagingrefresh-controller -o jsonpath='{.spec.holderIdentity}')"
finish
