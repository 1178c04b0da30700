#!/usr/bin/env bash
# A real Kubernetes control plane without nodes, for tests: etcd, kube-apiserver
# and kube-controller-manager, all state in one folder.
#
#   control-plane.sh up DIR       starts what is not running; ready when it returns
#   control-plane.sh down DIR     stops all of it; the state stays, and `up` goes on from it
#   control-plane.sh start|stop|restart DIR COMPONENT
#   control-plane.sh build        only makes sure that the programs are there
#
# DIR/kubeconfig is the administrator's, DIR/audit.log the audit log; of each
# component there are DIR/NAME.log and, while it runs, DIR/NAME.pid (and .since,
# which tells its process from a later one with the same number).
#
# The programs come from $KUBEBUILDER_ASSETS, else they are built from
# hack/controlplane. Without a kube-controller-manager among the former nothing
# collects garbage, runs CronJobs or makes ServiceAccounts.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$here/lib/common.sh"
# shellcheck source=hack/lib/controlplane.sh
source "$here/lib/controlplane.sh"

# In the order in which they start.
components=(etcd kube-apiserver kube-controller-manager)
# On an idle machine 5 s are enough.
ready_within_s=120
stop_within_s=20

usage() {
    sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2
    exit 2
}

# --- What is in DIR -----------------------------------------------------------

# certificate NAME SUBJECT EXTENSION...: pki/NAME.crt and .key, signed by our CA.
certificate() {
    local name=$1 subject=$2 extension extensions=()
    shift 2
    for extension in "$@"; do
        extensions+=(-addext "$extension")
    done
    openssl req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
        -CA ca.crt -CAkey ca.key -subj "$subject" -keyout "$name.key" -out "$name.crt" \
        -addext basicConstraints=critical,CA:FALSE -addext authorityKeyIdentifier=keyid \
        -addext keyUsage=critical,digitalSignature "${extensions[@]}" 2>openssl.log
}

make_pki() {
    local names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:localhost
    [[ -d $dir/pki ]] && return
    rm -rf -- "$dir/pki.part"
    mkdir "$dir/pki.part"
    (
        cd "$dir/pki.part"
        printf '[req]\ndistinguished_name = none\n[none]\n' >openssl.cnf
        openssl req -x509 -config openssl.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
            -subj /CN=kubernetes -keyout ca.key -out ca.crt -addext basicConstraints=critical,CA:TRUE \
            -addext keyUsage=critical,keyCertSign,digitalSignature \
            -addext subjectKeyIdentifier=hash 2>openssl.log
        certificate apiserver /CN=kube-apiserver extendedKeyUsage=serverAuth \
            "subjectAltName=$names,IP:127.0.0.1,IP:10.0.0.1"
        certificate admin /O=system:masters/CN=kubernetes-admin extendedKeyUsage=clientAuth
        certificate controllers /O=system:masters/CN=system:kube-controller-manager extendedKeyUsage=clientAuth
        openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out sa.key
        openssl pkey -in sa.key -pubout -out sa.pub
    ) || die "openssl failed; see $dir/pki.part/openssl.log"
    mv -T "$dir/pki.part" "$dir/pki"
}

# kubeconfig NAME FILE: as the holder of pki/NAME.
kubeconfig() {
    local name=$1 file=$2
    cat >"$file.part" <<END
apiVersion: v1
kind: Config
clusters:
- name: control-plane
  cluster:
    server: https://127.0.0.1:$port
    certificate-authority-data: $(base64 -w0 "$dir/pki/ca.crt")
users:
- name: $name
  user:
    client-certificate-data: $(base64 -w0 "$dir/pki/$name.crt")
    client-key-data: $(base64 -w0 "$dir/pki/$name.key")
contexts:
- name: $name
  context: {cluster: control-plane, user: $name}
current-context: $name
END
    mv "$file.part" "$file"
}

# Who asked for what, and the answer. The control plane's own traffic would bury it.
write_audit_policy() {
    cat >"$dir/audit-policy.yaml" <<'END'
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver", "system:kube-controller-manager"]
- level: None
  nonResourceURLs: ["/readyz*", "/livez*", "/healthz*"]
- level: Metadata
END
}

port_is_free() {
    ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Sets port: the one used before, if it is still free.
choose_port() {
    local lowest=10240 above=32768 tries
    if [[ -s $dir/port ]] && port=$(<"$dir/port") && port_is_free "$port"; then
        return
    fi
    # Outgoing connections get ports of their own range. Below it nobody is given
    # ours by chance while the server is being restarted.
    read -r above _ </proc/sys/net/ipv4/ip_local_port_range || true
    ((above > lowest + 1000)) || above=61000
    for ((tries = 0; tries < 200; tries++)); do
        port=$((lowest + SRANDOM % (above - lowest)))
        if port_is_free "$port"; then
            # It would go on with the old one.
            stop kube-controller-manager
            echo "$port" >"$dir/port"
            return
        fi
    done
    die "found no free port between $lowest and $above"
}

# --- The components -----------------------------------------------------------

# Each sets args. etcd listens on files, not on ports; they are named relative to
# DIR, where all components run, because such a name may not exceed 107 bytes. It
# insists on advertising something with a port, which nobody ever uses; and before 3.6
# it insists on one in the name of a socket, too.
etcd_socket=etcd.sock:0
args_of_etcd() {
    args=(
        --data-dir="$dir/etcd" --unsafe-no-fsync --log-level=warn
        --listen-client-urls="unix://$etcd_socket" --advertise-client-urls=http://localhost:2379
        --listen-peer-urls=unix://etcd-peer.sock:0
    )
}

args_of_kube-apiserver() {
    choose_port
    kubeconfig admin "$dir/kubeconfig"
    kubeconfig controllers "$dir/controllers.kubeconfig"
    write_audit_policy
    args=(
        --etcd-servers="unix://$etcd_socket"
        --bind-address=127.0.0.1 --secure-port="$port" --cert-dir="$dir/pki"
        --endpoint-reconciler-type=none --advertise-address=192.0.2.1 --service-cluster-ip-range=10.0.0.0/24
        --tls-cert-file="$dir/pki/apiserver.crt" --tls-private-key-file="$dir/pki/apiserver.key"
        --client-ca-file="$dir/pki/ca.crt"
        --service-account-issuer=https://kubernetes.default.svc
        --service-account-signing-key-file="$dir/pki/sa.key" --service-account-key-file="$dir/pki/sa.pub"
        --authorization-mode=RBAC --allow-privileged=true
        --audit-policy-file="$dir/audit-policy.yaml" --audit-log-path="$dir/audit.log" --audit-log-maxsize=1024
        --enable-priority-and-fairness=false --profiling=false --shutdown-send-retry-after=true
    )
    has_controllers || args+=(--disable-admission-plugins=ServiceAccount)
}

args_of_kube-controller-manager() {
    local names=(
        clusterrole-aggregation-controller cronjob-controller daemonset-controller deployment-controller
        garbage-collector-controller job-controller namespace-controller replicaset-controller
        root-ca-certificate-publisher-controller serviceaccount-controller serviceaccount-token-controller
        statefulset-controller ttl-after-finished-controller validatingadmissionpolicy-status-controller
    )
    local IFS=,
    args=(
        --kubeconfig="$dir/controllers.kubeconfig" --controllers="${names[*]}"
        --service-account-private-key-file="$dir/pki/sa.key" --root-ca-file="$dir/pki/ca.crt"
        --leader-elect=false --secure-port=0 --profiling=false
    )
}

has_controllers() {
    [[ -x $SR_ASSETS/kube-controller-manager ]]
}

# get PATH: from the API server, as the administrator.
get() {
    curl --silent --fail --noproxy '*' --max-time 10 --output "${2:-/dev/null}" --cacert "$dir/pki/ca.crt" \
        --cert "$dir/pki/admin.crt" --key "$dir/pki/admin.key" "https://127.0.0.1:$(<"$dir/port")$1"
}

etcd_is_ready() {
    (cd "$dir" && curl --silent --fail --noproxy '*' --max-time 10 --output /dev/null \
        --unix-socket "$etcd_socket" http://localhost/health)
}

kube-apiserver_is_ready() {
    get /readyz && get /api/v1/namespaces/default && get /api/v1/namespaces/kube-system
}

# True once it has ever run on this state; by then its start is not worth waiting for.
kube-controller-manager_is_ready() {
    get /api/v1/namespaces/default/serviceaccounts/default
}

# --- Processes ----------------------------------------------------------------

# since PID: when it began, in the kernel's ticks; nothing once it has ended. A process has it from its fork on, while its
# arguments cannot be seen as long as its program is being loaded, which from a disk takes a while.
since() {
    local stat fields
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
    # The name in front may hold blanks and brackets.
    read -ra fields <<<"${stat##*) }"
    [[ ${fields[0]} == [ZX] ]] || echo "${fields[19]}"
}

# The process of a component, empty if it does not run. The number in the file may
# by now be another's: ours began when we noted it.
pid_of() {
    local pid
    [[ -s $dir/$1.pid && -s $dir/$1.since ]] && pid=$(<"$dir/$1.pid") || return 0
    if [[ $(since "$pid") == "$(<"$dir/$1.since")" ]]; then
        echo "$pid"
    fi
}

failed() {
    say "--- the end of $dir/$1.log"
    tail -n 25 "$dir/$1.log" >&2 || true
    die "$1 $2"
}

start() {
    local name=$1 args=() deadline
    if [[ -z $(pid_of "$name") ]]; then
        "args_of_$name"
        (
            cd "$dir"
            exec setsid "$SR_ASSETS/$name" "${args[@]}" </dev/null >>"$name.log" 2>&1 8>&-
        ) &
        echo $! >"$dir/$name.pid"
        since $! >"$dir/$name.since"
    fi
    deadline=$((SECONDS + ready_within_s))
    until "${name}_is_ready"; do
        [[ -n $(pid_of "$name") ]] || failed "$name" "ended before it was ready"
        ((SECONDS < deadline)) || failed "$name" "was not ready after $ready_within_s s"
        sleep 0.05
    done
}

stop() {
    local name=$1 pid deadline
    pid=$(pid_of "$name")
    if [[ -n $pid ]]; then
        kill -TERM "$pid" 2>/dev/null || true
        # One that a test has stopped gets the signal only then.
        kill -CONT "$pid" 2>/dev/null || true
        deadline=$((SECONDS + stop_within_s))
        while [[ -n $(pid_of "$name") ]]; do
            ((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
            sleep 0.05
        done
    fi
    rm -f -- "$dir/$name.pid" "$dir/$name.since"
}

# --- Commands -----------------------------------------------------------------

up() {
    local name
    make_pki
    trap 'down' EXIT
    for name in "${components[@]}"; do
        if [[ $name == kube-controller-manager ]] && ! has_controllers; then
            say "No kube-controller-manager in $SR_ASSETS: going without"
            continue
        fi
        start "$name"
    done
    trap - EXIT
}

down() {
    local i
    for ((i = ${#components[@]} - 1; i >= 0; i--)); do
        stop "${components[i]}"
    done
}

get_programs() {
    [[ -n ${KUBEBUILDER_ASSETS:-} ]] || build_controlplane
}

# Sets dir, and keeps other runs of this script away from it until we end.
enter() {
    dir=$(realpath -m -- "$1")
    umask 077
    mkdir -p -- "$dir"
    exec 8>"$dir/lock"
    flock 8
}

is_component() {
    [[ " ${components[*]} " == *" $1 "* ]] || die "no component '$1': there are ${components[*]}"
}

case "${1:-} $#" in
"build 1")
    get_programs
    ;;
"up 2")
    get_programs
    enter "$2"
    up
    ;;
"down 2")
    [[ -d $2 ]] || exit 0
    enter "$2"
    down
    ;;
"start 3" | "stop 3" | "restart 3")
    is_component "$3"
    [[ -d $2/pki ]] || die "$2 has no control plane; begin with '${0##*/} up $2'"
    enter "$2"
    [[ $1 == start ]] || stop "$3"
    [[ $1 == stop ]] || start "$3"
    ;;
*)
    usage
    ;;
esac
