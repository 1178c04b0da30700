#!/usr/bin/env bash
# plan, preflight and policies: what they say, how they end, and that a run passes with exactly what policies grants.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tests/integration/awssim.sh
source "$here/awssim.sh"
awssim=$1 stagingrefresh=$2
root=$here/../..
sample=$root/manifests/samples/shop.yaml
world=$root/hack/awssim/worlds/shop.yaml
SIM_DIR=$(mktemp -d)
SIM_PID=
trap 'stop_awssim || :; rm -rf -- "$SIM_DIR"' EXIT
command -v jq >/dev/null || {
    echo "jq is not there"
    exit 77
}
export AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=example-secret HOME=$SIM_DIR
unset AWS_PROFILE AWS_SESSION_TOKEN

# status_of FLAG...: of the binary; what it says is in $SIM_DIR/said.
status_of() {
    local status=0
    AWS_ENDPOINT_URL=${SIM_URL:-} "$stagingrefresh" "$@" >"$SIM_DIR/said" 2>"$SIM_DIR/err" </dev/null || status=$?
    echo "$status"
}

# A world in which the roles may do what `policies` says, and nothing else.
granted_world() {
    local side
    for side in source target; do
        jq -r ".$side.policy.Statement[].Action[]" "$SIM_DIR/policies.json" | sort -u >"$SIM_DIR/$side.actions"
    done
    awk -v source="$SIM_DIR/source.actions" -v target="$SIM_DIR/target.actions" '
        /^- id:/ { account++ }
        /^    - name: staging-refresh$/ { role = 1 }
        role && /^      allow:$/ {
            print; file = account == 1 ? source : target
            while ((getline line < file) > 0) print "      - " line
            skip = 1; role = 0; next
        }
        skip && /^      - / || skip && /^ *#/ { next }
        { skip = 0; print }' "$world" >"$SIM_DIR/granted.yaml"
}

check 'no file' "$(status_of plan)" 2
check 'a file that is not there' "$(status_of policies -f "$SIM_DIR/none")" 2
check 'plan' "$(status_of plan -f "$sample" -o json)" 0
check 'the first step' "$(jq -r '.steps[0] | "\(.database) \(.step) \(.account)"' "$SIM_DIR/said")" 'main Backup 111111111111'
check 'every step is told of' "$(jq '[.steps[] | select(.does | not)] | length' "$SIM_DIR/said")" 0
check 'policies' "$(status_of policies -f "$sample" -o json)" 0
cp "$SIM_DIR/said" "$SIM_DIR/policies.json"
check 'production is never written to' \
    "$(jq -r '.source.policy.Statement[].Action[] | select(test("^(rds|dynamodb):(?!Describe|List)"))' "$SIM_DIR/policies.json")" ''

start_awssim "$awssim" --world "$world" --time-scale 600 --seed 1
check 'preflight' "$(status_of preflight -f "$sample" -o json)" 0
check 'all is in place' "$(jq -r '.passed' "$SIM_DIR/said")" true
check 'each check says ok' "$(jq -r '.checks[] | select(.result != "ok") | .subject' "$SIM_DIR/said")" ''
lost=$(env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY AWS_ROLE_ARN=r AWS_WEB_IDENTITY_TOKEN_FILE=/nowhere/token \
    AWS_ENDPOINT_URL="$SIM_URL" "$stagingrefresh" preflight -f "$sample" </dev/null 2>"$SIM_DIR/err") || :
check_has 'a token file that is gone' "$(grep ' staging .* vault staging-refresh:' <<<"$lost")" \
    'vault staging-refresh: could not be looked at: credentials of account 222222222222: '
check_has 'where it was' "$lost" '/nowhere/token: No such file'
check 'nothing was changed' "$(sim GET journal | jq -c '[.[] | select(.operation != "AssumeRole")]')" '[]'
stop_awssim || :

sed '/Sid: CopiesFromProduction/,/Resource:/s/111111111111/333333333333/' "$world" >"$SIM_DIR/broken.yaml"
start_awssim "$awssim" --world "$SIM_DIR/broken.yaml" --time-scale 600 --seed 1
check 'a vault without a policy' "$(status_of preflight -f "$sample")" 1
check_has 'what is wrong' "$(grep ^FAIL "$SIM_DIR/said")" 'nothing allows backup:CopyIntoBackupVault'
check 'a run starts nothing' "$(status_of run -f "$sample" --state-dir "$SIM_DIR/broken" --time-scale 600 -o json)" 1
check 'nothing was started' "$(sim GET journal | jq -c '[.[] | select(.operation | startswith("Start"))]')" '[]'
stop_awssim || :

granted_world
start_awssim "$awssim" --world "$SIM_DIR/granted.yaml" --time-scale 600 --seed 1
check 'a run with exactly these' "$(status_of run -f "$sample" --state-dir "$SIM_DIR/granted" --time-scale 600 -o json)" 0
check 'none to look at recovery points, either' \
    "$(tail -n 1 "$SIM_DIR/said" | jq -r '.status.switchover.steps[] | select(.name == "Retention") | .message')" \
    'what is not kept is gone, or going'
check 'no permission was missing' "$(sim GET journal | jq -c '[.[] | select(.error // "" | test("AccessDenied|Unauthorized")) | .operation]')" '[]'
finish
