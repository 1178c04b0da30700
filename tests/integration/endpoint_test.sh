#!/usr/bin/env bash
# Our endpoints against botocore's own rules: every service, Region and variant.
# usage: endpoint_test.sh DRIVER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/../../hack/lib/paths.sh"

# The python that the aws command runs on has botocore; else the system's may.
python=$(dirname "$SR_AWS")/python
[[ -x $python ]] || python=$(command -v python3 || :)
if [[ -z $python ]]; then
    echo 'skipped: no python; hack/setup.sh --tests installs one'
    exit 77
fi
exec "$python" "$here/../pkg/aws/endpoint_botocore.py" "$1"
