# shellcheck shell=bash
# A simulated AWS for scripts: start it, ask it, show what staging uses. Source it after paths.sh and common.sh.

# awssim_start BUILD DIR [FLAG...]: sets AWSSIM_PID and AWSSIM_URL; its log is DIR/awssim.log.
awssim_start() {
    local build=$1 dir=$2
    shift 2
    rm -f -- "$dir/awssim.url"
    "$build/awssim" --listen 127.0.0.1:0 --ready-file "$dir/awssim.url" "$@" >"$dir/awssim.log" 2>&1 </dev/null &
    AWSSIM_PID=$!
    wait_for 200 "the simulator" test -s "$dir/awssim.url" || {
        tail -n 20 "$dir/awssim.log" >&2
        return 1
    }
    AWSSIM_URL=$(<"$dir/awssim.url")
}

# wait_for TENTHS WHAT COMMAND...: until the command succeeds.
wait_for() {
    local tenths=$1 what=$2 i
    shift 2
    for ((i = 0; i < tenths; i++)); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.1
    done
    say "$what: waited ${tenths} tenths of a second in vain"
    return 1
}

sim() {
    curl --silent --show-error --fail --noproxy '*' "$AWSSIM_URL/_sim/$1"
}

# What staging uses, as the simulated AWS has it.
show_staging() {
    sim world | jq -r '
        .accounts[] | select(.name == "staging") |
        (.rds.proxies[] | "  proxy \(.name)  ->  cluster \(.target // "none")"),
        (.ssm.parameters[] | select(.value) | "  parameter \(.name)  =  \(.value)"),
        (.secretsmanager.secrets[] | "  secret \(.name)  version \(.versions[] | select(.stages | index("AWSCURRENT")) | .id[0:8])"),
        (.ecs.services[] | "  service \(.serviceName)  deployment \(.deployments[0].id)")'
}

# Counts of what was started, from the journal.
show_journal() {
    sim journal | jq -r '
        def count(f): map(select(f)) | length;
        "  backups started   \(count(.operation == "StartBackupJob" and .effect == "created"))",
        "  copies started    \(count(.operation == "StartCopyJob" and .effect == "created"))",
        "  restores started  \(count(.operation == "StartRestoreJob" and .effect == "created"))",
        "  calls refused     \(count(.effect == "refused"))",
        "  other changes     \(count(.effect == "created" or .effect == "changed") - count((.operation | startswith("Start")) and .effect == "created"))"'
}

# service_account_kubeconfig KUBECTL ADMIN-KUBECONFIG NAMESPACE NAME FILE: a kubeconfig that is that ServiceAccount, in its namespace.
service_account_kubeconfig() {
    local kubectl=$1 admin=$2 namespace=$3 name=$4 file=$5 token
    token=$("$kubectl" --kubeconfig "$admin" create token -n "$namespace" "$name" --duration 2h)
    "$kubectl" --kubeconfig "$admin" config view --raw --minify -o json |
        jq --arg token "$token" --arg namespace "$namespace" '.users[0].user = {token: $token} | .contexts[0].context.namespace = $namespace' >"$file"
    chmod 600 "$file"
}

# use_example_credentials URL: the identity that worlds/shop.yaml gives the controller.
use_example_credentials() {
    export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=example-secret AWS_ENDPOINT_URL=$1 AWS_REGION=ap-northeast-1
    unset AWS_SESSION_TOKEN AWS_PROFILE
}
