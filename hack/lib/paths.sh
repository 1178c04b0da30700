# shellcheck shell=bash
# Where the tools of the tests are. Source it; it runs nothing slow and installs
# nothing. A path is set even when nothing is there yet: hack/setup.sh --tests
# fills in what is missing.
#
#   SR_ROOT     the repository
#   SR_CACHE    what we download or build for the tests, outside the repository
#   SR_AWS      the aws command, in the version that the tests expect
#   SR_CFN_LINT the checker of CloudFormation templates
#   SR_KUBERNETES  which Kubernetes the tests run on: empty for the newest, 1.30 for the oldest that we support
#   SR_ASSETS   a folder with etcd, kube-apiserver, kube-controller-manager, kubectl:
#               $KUBEBUILDER_ASSETS if set, else the one built from hack/controlplane
#   SR_KUBECTL  the kubectl that belongs to it

SR_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
SR_CACHE=${XDG_CACHE_HOME:-${HOME:?}/.cache}/stagingrefresh

# sr_key FILE...: a short name for the content of the files, and for this kind of machine.
sr_key() {
    { uname -m && cat -- "$@"; } | sha256sum | cut -c1-16
}

SR_AWS=$SR_CACHE/aws/$(sr_key "$SR_ROOT/hack/lib/requirements-aws.txt")/bin/aws
SR_CFN_LINT=$SR_CACHE/cfn-lint/$(sr_key "$SR_ROOT/hack/lib/requirements-cfn-lint.txt")/bin/cfn-lint
SR_CONTROLPLANE_MODULE=go${SR_KUBERNETES:+-$SR_KUBERNETES}.mod
SR_CONTROLPLANE=$SR_CACHE/controlplane/$(cd "$SR_ROOT/hack/controlplane" && sr_key build.sh "$SR_CONTROLPLANE_MODULE" "${SR_CONTROLPLANE_MODULE%.mod}.sum" main.go)
SR_ASSETS=${KUBEBUILDER_ASSETS:-$SR_CONTROLPLANE}
SR_KUBECTL=$SR_ASSETS/kubectl
if [[ ! -x $SR_KUBECTL ]]; then
    # Assets of one's own need not have it.
    SR_KUBECTL=$SR_CONTROLPLANE/kubectl
fi
export SR_ROOT SR_CACHE SR_AWS SR_CFN_LINT SR_CONTROLPLANE SR_CONTROLPLANE_MODULE SR_ASSETS SR_KUBECTL
