#!/usr/bin/env bash
# Every way to credentials, by our own chain and by the aws command in the same environment: both must be the same
# identity to the simulator's STS. A metadata service, a container endpoint and files are real ones.
# usage: credentials_test.sh AWSSIM DRIVER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/../../hack/lib/paths.sh"
# shellcheck source=tests/integration/awssim.sh
source "$here/awssim.sh"

if [[ ! -x $SR_AWS ]]; then
    echo 'skipped: no aws command; hack/setup.sh --tests installs one'
    exit 77
fi
driver=$2

# In a network of our own the link-local addresses of AWS are ours to serve.
link_local=(169.254.169.254 169.254.170.2 169.254.170.23)
if [[ ${SR_NETWORK:-} != own ]]; then
    if unshare --user --map-root-user --net ip link set lo up 2>/dev/null; then
        SR_NETWORK=own exec unshare --user --map-root-user --net "$BASH_SOURCE" "$@"
    fi
    echo 'no network of its own here: the link-local endpoints are left out'
    link_local=()
else
    ip link set lo up
    for address in "${link_local[@]}"; do
        ip address add "$address/32" dev lo
    done
fi

SIM_DIR=$(mktemp -d)
SIM_PID=
server=
front=
clean_up() {
    [[ -z $server ]] || kill "$server" 2>/dev/null || :
    [[ -z $front ]] || kill "$front" 2>/dev/null || :
    stop_awssim || :
    rm -rf -- "$SIM_DIR"
}
trap clean_up EXIT
# The sample's world, and a role that believes an issuer of tokens.
world=$(<"$here/../../hack/awssim/worlds/shop.yaml")
trust='      - {principal: "arn:aws:iam::222222222222:user/stagingrefresh", externalID: staging-cluster, tagSession: true}'
issuer='      - {federated: "https://issuer.test", subject: "system:serviceaccount:s:c", audience: sts.amazonaws.com}'
node='      - {principal: "arn:aws:iam::222222222222:role/staging-refresh", externalID: staging-cluster}'
grep -qF -- "$trust" <<<"$world" || { echo "the sample has another trust policy by now" >&2; exit 1; }
world=${world//"$trust"/"$trust"$'\n'"$issuer"$'\n'"$node"}
printf '%s\n' "${world//      - iam:PassRole/      - iam:PassRole$'\n'      - sts:AssumeRole}" >"$SIM_DIR/world.yaml"
start_awssim "$1" --world "$SIM_DIR/world.yaml" --time-scale 0 --seed 1

# ---- what there is ----

user=(AWS_ACCESS_KEY_ID=AKIAEXAMPLE AWS_SECRET_ACCESS_KEY=example-secret)
base=(PATH="$PATH" HOME="$SIM_DIR/home" AWS_ENDPOINT_URL="$SIM_URL" AWS_REGION=ap-northeast-1
    AWS_DEFAULT_REGION=ap-northeast-1 AWS_MAX_ATTEMPTS=1 AWS_PAGER='')
role=arn:aws:iam::222222222222:role/staging-refresh
mkdir -p "$SIM_DIR/home"
read -r key secret token < <(env -i "${base[@]}" "${user[@]}" "$SR_AWS" sts assume-role --role-arn $role \
    --role-session-name session --external-id staging-cluster \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)

await_file() {
    for _ in {1..200}; do
        [[ -e $1 ]] && return
        read -rt 0.05 <> <(:) || :
    done
}
"$(dirname "$SR_AWS")/python" "$here/credentials_server.py" "$SIM_DIR/server" "$key" "$secret" "$token" \
    "${link_local[@]}" &
server=$!
await_file "$SIM_DIR/server"
endpoint=$(<"$SIM_DIR/server")
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=front -keyout "$SIM_DIR/front.key" \
    -out "$SIM_DIR/front.pem" -addext subjectAltName=IP:127.0.0.1,DNS:sts.test 2>/dev/null
"$(dirname "$SR_AWS")/python" "$here/credentials_front.py" "$SIM_DIR/front" "$SIM_DIR/front.pem" "$SIM_DIR/front.key" \
    "${SIM_URL##*:}" &
front=$!
await_file "$SIM_DIR/front"
{ read -r front_port; read -r proxy_port; } <"$SIM_DIR/front"
printf 'container-token' >"$SIM_DIR/token"
# jwt SECONDS-LEFT: a token of the cluster's issuer.
jwt() {
    local claims
    claims=$(printf '{"iss":"https://issuer.test","sub":"system:serviceaccount:s:c","aud":["sts.amazonaws.com"],"exp":%s}' \
        "$((EPOCHSECONDS + $1))" | base64 -w0 | tr '+/' '-_' | tr -d =)
    printf 'eyJhbGciOiJSUzI1NiJ9.%s.c2ln' "$claims"
}
jwt 3600 >"$SIM_DIR/web-token"
jwt -3600 >"$SIM_DIR/old-web-token"

cat >"$SIM_DIR/program" <<PROGRAM
#!/bin/sh
[ "\$1" = "two words" ] || exit 1
echo '{"Version": 1, "AccessKeyId": "$key", "SecretAccessKey": "$secret", "SessionToken": "$token"}'
PROGRAM
chmod +x "$SIM_DIR/program"
cat >"$SIM_DIR/credentials" <<'FILE'
[default]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret

[program]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret

[broken]
aws_access_key_id = AKIANOBODY
aws_secret_access_key = nothing
FILE
cat >"$SIM_DIR/config" <<FILE
[profile keys]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret

[profile role]
role_arn = $role
source_profile = keys
external_id = staging-cluster
role_session_name = from-profile

[profile own]
role_arn = $role
source_profile = own
external_id = staging-cluster
role_session_name = from-itself
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret

[profile instance]
role_arn = $role
credential_source = Ec2InstanceMetadata
external_id = staging-cluster
role_session_name = from-instance

[profile web]
role_arn = $role
web_identity_token_file = $SIM_DIR/web-token
role_session_name = from-web

[profile web-first]
role_arn = $role
web_identity_token_file = $SIM_DIR/web-token
role_session_name = web-first
aws_access_key_id = AKIANOBODY
aws_secret_access_key = nothing

[profile web-source]
role_arn = $role
source_profile = web
external_id = staging-cluster
role_session_name = web-source

[profile web-old]
role_arn = $role
web_identity_token_file = $SIM_DIR/old-web-token
role_session_name = web-old

[profile web-rootless]
web_identity_token_file = $SIM_DIR/web-token

[profile wrong-id]
role_arn = $role
source_profile = keys
external_id = other
role_session_name = x1

[profile circle]
role_arn = $role
source_profile = round

[profile round]
role_arn = $role
source_profile = circle

[profile program-only]
credential_process = "$SIM_DIR/program" "two words"

[profile program]
credential_process = "$SIM_DIR/program" "two words"

[profile program-fails]
credential_process = $SIM_DIR/program

[profile sso]
sso_session = work
sso_account_id = 222222222222
sso_role_name = r

[sso-session work]
sso_region = ap-northeast-1
sso_start_url = https://example.test/start

[profile keys-mfa]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret
mfa_serial = arn:aws:iam::222222222222:mfa/me

[profile role-of-mfa]
role_arn = $role
source_profile = keys-mfa
external_id = staging-cluster
role_session_name = role-of-mfa

[profile program-and-keys]
aws_access_key_id = AKIANOBODY
aws_secret_access_key = nothing
credential_process = "$SIM_DIR/program" "two words"

[profile keys-and-role]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret
role_arn = arn:aws:iam::222222222222:role/nowhere
source_profile = keys

[profile of-keys-and-role]
role_arn = $role
source_profile = keys-and-role
external_id = staging-cluster
role_session_name = of-keys-and-role

[profile "two words"]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret

[profile old-token]
aws_access_key_id = $key
aws_secret_access_key = $secret
aws_security_token = $token
aws_session_token = of-something-else

[profile colons]
aws_access_key_id: AKIAEXAMPLE
aws_secret_access_key : example-secret

[profile web-mixed]
role_arn = arn:aws:iam::222222222222:role/nowhere
web_identity_token_file = $SIM_DIR/web-token

[profile roots]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret
ca_bundle = $SIM_DIR/front.pem

[profile endpoint]
aws_access_key_id = AKIAEXAMPLE
aws_secret_access_key = example-secret
services = local

[services local]
sts =
  endpoint_url = $SIM_URL

[profile metadata]
ec2_metadata_service_endpoint = $endpoint

[profile mfa]
role_arn = $role
source_profile = keys
mfa_serial = arn:aws:iam::222222222222:mfa/me
FILE
cp "$SIM_DIR/config" "$SIM_DIR/home/config"
files=(AWS_CONFIG_FILE="$SIM_DIR/config" AWS_SHARED_CREDENTIALS_FILE="$SIM_DIR/credentials")
no_files=(AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null)
no_instance=(AWS_EC2_METADATA_DISABLED=true)
instance=(AWS_EC2_METADATA_SERVICE_ENDPOINT="$endpoint")
web=(AWS_ROLE_ARN="$role" AWS_ROLE_SESSION_NAME=pod)
container=(AWS_CONTAINER_CREDENTIALS_FULL_URI="$endpoint/container" AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="$SIM_DIR/token")

# ---- the matrix ----

as_user=arn:aws:iam::222222222222:user/stagingrefresh
as_session=arn:aws:sts::222222222222:assumed-role/staging-refresh

theirs() {
    env -i "${base[@]}" "$@" "$SR_AWS" sts get-caller-identity --query Arn --output text </dev/null 2>/dev/null || echo refused
}

ours() {
    env -i "${base[@]}" "$@" "$driver" </dev/null || :
}

# same NAME ARN VARIABLE...: both are that identity.
same() {
    local name=$1 want=$2
    shift 2
    check "$name: aws" "$(theirs "$@")" "$want"
    check "$name: ours" "$(ours "$@")" "$want"
}

# neither NAME SENTENCE VARIABLE...: the command fails too, and we say why.
neither() {
    local name=$1 sentence=$2
    shift 2
    check "$name: aws" "$(theirs "$@")" refused
    check_has "$name: ours" "$(ours "$@")" "$sentence"
}

# only_theirs NAME ARN SENTENCE VARIABLE...: the command accepts what we refuse on purpose.
only_theirs() {
    local name=$1 want=$2 sentence=$3
    shift 3
    check "$name: aws" "$(theirs "$@")" "$want"
    check_has "$name: ours" "$(ours "$@")" "$sentence"
}

# begin_ours VARIABLE...: our chain, which looks again at each `again`; both put the answer into $answer.
begin_ours() {
    coproc OURS { env -i "${base[@]}" "$@" "$driver"; }
    read -ru "${OURS[0]}" answer
}
again() {
    echo >&"${OURS[1]}"
    read -ru "${OURS[0]}" answer
}
end_ours() {
    local pid=$OURS_PID
    eval "exec ${OURS[1]}>&-"
    wait "$pid" || :
}

same 'environment' $as_user "${user[@]}" "${no_files[@]}" "${no_instance[@]}"
same 'environment with a session token' $as_session/session AWS_ACCESS_KEY_ID="$key" AWS_SECRET_ACCESS_KEY="$secret" \
    AWS_SESSION_TOKEN="$token" "${no_files[@]}" "${no_instance[@]}"
same 'environment before container and instance' $as_user "${user[@]}" "${no_files[@]}" "${container[@]}" "${instance[@]}"
same 'default profile' $as_user "${files[@]}" "${no_instance[@]}"
same 'default profile before container and instance' $as_user "${files[@]}" "${container[@]}" "${instance[@]}"
same 'profile with keys' $as_user "${files[@]}" AWS_PROFILE=keys "${no_instance[@]}"
same 'profile with a role' $as_session/from-profile "${files[@]}" AWS_PROFILE=role "${no_instance[@]}"
same 'profile that is its own source' $as_session/from-itself "${files[@]}" AWS_PROFILE=own "${no_instance[@]}"
same 'environment before a profile' $as_user "${user[@]}" "${files[@]}" AWS_PROFILE=role "${no_instance[@]}"
same 'role with the instance as its source' $as_session/from-instance "${files[@]}" AWS_PROFILE=instance "${instance[@]}"
same 'web identity' $as_session/pod "${no_files[@]}" "${no_instance[@]}" "${web[@]}" AWS_WEB_IDENTITY_TOKEN_FILE="$SIM_DIR/web-token"
same 'web identity before container' $as_session/pod "${no_files[@]}" "${no_instance[@]}" "${container[@]}" "${web[@]}" \
    AWS_WEB_IDENTITY_TOKEN_FILE="$SIM_DIR/web-token"
same 'profile with a web identity' $as_session/from-web "${files[@]}" AWS_PROFILE=web "${no_instance[@]}"
same 'profile with a web identity before its keys' $as_session/web-first "${files[@]}" AWS_PROFILE=web-first "${no_instance[@]}"
same 'profile with a web identity as the source of a role' $as_session/web-source "${files[@]}" AWS_PROFILE=web-source \
    "${no_instance[@]}"
same 'program' $as_session/session "${files[@]}" AWS_PROFILE=program-only "${no_instance[@]}"
same 'keys of the credentials file before a program' $as_user "${files[@]}" AWS_PROFILE=program "${no_instance[@]}"
same 'program before keys of the config file' $as_session/session "${files[@]}" AWS_PROFILE=program-and-keys "${no_instance[@]}"
same 'profile with a role before the web identity' $as_session/from-profile "${files[@]}" AWS_PROFILE=role "${no_instance[@]}" \
    "${web[@]}" AWS_WEB_IDENTITY_TOKEN_FILE="$SIM_DIR/web-token"
same 'web identity before a profile with keys' $as_session/pod "${files[@]}" AWS_PROFILE=keys "${no_instance[@]}" \
    "${web[@]}" AWS_WEB_IDENTITY_TOKEN_FILE="$SIM_DIR/web-token"
same 'web identity of variables and a profile' $as_session/pod "${files[@]}" AWS_PROFILE=web-mixed "${no_instance[@]}" "${web[@]}"
same 'keys with an MFA device' $as_user "${files[@]}" AWS_PROFILE=keys-mfa "${no_instance[@]}"
same 'role with such keys as its source' $as_session/role-of-mfa "${files[@]}" AWS_PROFILE=role-of-mfa "${no_instance[@]}"
same 'keys of a source before its role' $as_session/of-keys-and-role "${files[@]}" AWS_PROFILE=of-keys-and-role \
    "${no_instance[@]}"
same 'quoted profile' $as_user "${files[@]}" AWS_PROFILE='two words' "${no_instance[@]}"
same 'old name of the token' $as_session/session "${files[@]}" AWS_PROFILE=old-token "${no_instance[@]}"
same 'colons' $as_user "${files[@]}" AWS_PROFILE=colons "${no_instance[@]}"
same 'container' $as_session/session "${no_files[@]}" "${container[@]}" "${no_instance[@]}"
same 'container before instance' $as_session/session "${no_files[@]}" "${container[@]}" \
    AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9
same 'instance' $as_session/session "${no_files[@]}" "${instance[@]}"
same 'instance whose endpoint a profile names' $as_session/session AWS_CONFIG_FILE="$SIM_DIR/config" \
    AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_PROFILE=metadata
same 'files at home' $as_user AWS_CONFIG_FILE='~/config' AWS_SHARED_CREDENTIALS_FILE='~/none' AWS_PROFILE=keys "${no_instance[@]}"
same 'container whose token is a variable' $as_session/session "${no_files[@]}" "${no_instance[@]}" \
    AWS_CONTAINER_CREDENTIALS_FULL_URI="$endpoint/container" AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token
if ((${#link_local[@]})); then
    same "instance at its own address" $as_session/session "${no_files[@]}"
    same 'container by a relative URI' $as_session/session "${no_files[@]}" "${no_instance[@]}" \
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/task
    same 'relative URI before the full one' $as_session/session "${no_files[@]}" "${no_instance[@]}" \
        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/task AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9/container
    same 'Pod Identity' $as_session/session "${no_files[@]}" "${no_instance[@]}" \
        AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/container AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="$SIM_DIR/token"
    same 'web identity before Pod Identity' $as_session/pod "${no_files[@]}" "${no_instance[@]}" "${web[@]}" \
        AWS_WEB_IDENTITY_TOKEN_FILE="$SIM_DIR/web-token" AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="$SIM_DIR/token" \
        AWS_CONTAINER_CREDENTIALS_FULL_URI=http://169.254.170.23/container
fi
neither 'container endpoint that is somewhere else' 'loopback' "${no_files[@]}" "${no_instance[@]}" \
    AWS_CONTAINER_CREDENTIALS_FULL_URI=http://192.0.2.1/container
only_theirs 'instance with the old service only' $as_session/session 'no AWS credentials were found' "${no_files[@]}" \
    AWS_EC2_METADATA_SERVICE_ENDPOINT="$endpoint/v1"
tls=("${user[@]}" "${no_files[@]}" "${no_instance[@]}")
same 'roots of a variable' $as_user "${tls[@]}" AWS_ENDPOINT_URL="https://127.0.0.1:$front_port" \
    AWS_CA_BUNDLE="$SIM_DIR/front.pem"
same 'roots of a profile' $as_user "${files[@]}" "${no_instance[@]}" AWS_PROFILE=roots \
    AWS_ENDPOINT_URL="https://127.0.0.1:$front_port"
neither 'nobody knows the server' 'certificate' "${tls[@]}" AWS_ENDPOINT_URL="https://127.0.0.1:$front_port"
same 'through a proxy' $as_user "${tls[@]}" AWS_ENDPOINT_URL=https://sts.test AWS_CA_BUNDLE="$SIM_DIR/front.pem" \
    HTTPS_PROXY="http://127.0.0.1:$proxy_port"
same 'past a proxy' $as_user "${tls[@]}" AWS_ENDPOINT_URL="https://127.0.0.1:$front_port" \
    AWS_CA_BUNDLE="$SIM_DIR/front.pem" HTTPS_PROXY=http://127.0.0.1:9 NO_PROXY=127.0.0.1
same 'endpoint of one service' $as_user "${tls[@]}" AWS_ENDPOINT_URL=http://127.0.0.1:9 AWS_ENDPOINT_URL_STS="$SIM_URL"
same 'endpoint of one service in a profile' $as_user "${files[@]}" "${no_instance[@]}" AWS_PROFILE=endpoint AWS_ENDPOINT_URL=
same 'a proxy is not asked for container credentials' $as_session/session "${no_files[@]}" "${container[@]}" \
    "${no_instance[@]}" NO_PROXY=127.0.0.1 HTTP_PROXY=http://127.0.0.1:9

neither 'nothing' 'no AWS credentials were found' "${no_files[@]}" "${no_instance[@]}"
neither 'instance disabled' 'no AWS credentials were found' "${no_files[@]}" "${instance[@]}" "${no_instance[@]}"
neither 'instance out of reach' 'no AWS credentials were found' "${no_files[@]}" \
    AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9
neither 'unknown keys' 'InvalidClientTokenId' "${files[@]}" AWS_PROFILE=broken "${no_instance[@]}"
neither 'unknown profile' 'the AWS profile "nobody" is in none of the shared files' "${files[@]}" AWS_PROFILE=nobody \
    "${no_instance[@]}"
neither 'another external id' 'AccessDenied' "${files[@]}" AWS_PROFILE=wrong-id "${no_instance[@]}"
neither 'circle' 'circle' "${files[@]}" AWS_PROFILE=circle "${no_instance[@]}"
neither 'program that fails' 'exit status 1' "${files[@]}" AWS_PROFILE=program-fails "${no_instance[@]}"
neither 'SSO' 'needs a person to sign in at a browser (SSO)' "${files[@]}" AWS_PROFILE=sso "${no_instance[@]}"
neither 'MFA' "needs the code of somebody's MFA device" "${files[@]}" AWS_PROFILE=mfa "${no_instance[@]}"
neither 'old web identity' 'Token expired' "${no_files[@]}" "${no_instance[@]}" "${web[@]}" \
    AWS_WEB_IDENTITY_TOKEN_FILE="$SIM_DIR/old-web-token" AWS_ROLE_SESSION_NAME=late # else the command has it cached
neither 'profile with an old web identity' 'Token expired' "${files[@]}" AWS_PROFILE=web-old "${no_instance[@]}"
neither 'profile with a web identity, but no role' 'web_identity_token_file needs a role_arn' "${files[@]}" \
    AWS_PROFILE=web-rootless "${no_instance[@]}"
neither 'container refuses' 'container endpoint: HTTP status 403' "${no_files[@]}" "${no_instance[@]}" \
    AWS_CONTAINER_CREDENTIALS_FULL_URI="$endpoint/container" AWS_CONTAINER_AUTHORIZATION_TOKEN=wrong

# ---- what changes while we run ----

begin_ours "${no_files[@]}" "${no_instance[@]}" "${web[@]}" AWS_WEB_IDENTITY_TOKEN_FILE="$SIM_DIR/web-token"
check 'token file: first' "$answer" $as_session/pod
cp "$SIM_DIR/old-web-token" "$SIM_DIR/web-token"
again
check_has 'token file: an old one' "$answer" 'Token expired'
jwt 7200 >"$SIM_DIR/web-token"
again
check 'token file: a new one' "$answer" $as_session/pod
end_ours

begin_ours "${no_files[@]}" "${no_instance[@]}" "${container[@]}"
check "container's token file: first" "$answer" $as_session/session
printf 'another-token' >"$SIM_DIR/token"
again
check_has "container's token file: another" "$answer" 'container endpoint: HTTP status 403'
printf 'container-token' >"$SIM_DIR/token"
again
check "container's token file: as before" "$answer" $as_session/session
end_ours

begin_ours "${files[@]}" "${no_instance[@]}" AWS_PROFILE=program
check 'credentials file: first' "$answer" $as_user
printf '[program]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\n' "$key" "$secret" "$token" \
    >"$SIM_DIR/credentials"
again
check 'credentials file: others' "$answer" $as_session/session
end_ours

finish
