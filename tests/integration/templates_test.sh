#!/usr/bin/env bash
# The CloudFormation templates: cfn-lint has nothing to say, and what they set up works in the simulator.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/../../hack/lib/paths.sh"

for tool in "$SR_AWS" "$SR_CFN_LINT"; do
    if [[ ! -x $tool ]]; then
        echo "skipped: no ${tool##*/}; hack/setup.sh --tests installs it"
        exit 77
    fi
done
exec "$(dirname "$SR_AWS")/python" "$here/templates_test.py" "$1" "$SR_AWS" "$SR_CFN_LINT"
