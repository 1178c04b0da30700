#!/usr/bin/env bash
# build.sh OUT: compiles this folder with $GO (go, if unset).
#
# go.mod pins the Kubernetes release. A second release would be a second module
# file beside it, chosen with -modfile.
set -euo pipefail

out=$(realpath -m -- "$1")
cd "$(dirname "${BASH_SOURCE[0]}")"
version=$(sed -n 's/^\tk8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' go.mod)
minor=${version#v1.}
minor=${minor%%.*}

# What a released binary answers at /version and sends as its user agent.
flags='-s -w'
for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$minor"
    flags+=" -X $package.gitTreeState=clean"
done

# Without debugging data the build is faster, and a quarter of its cache smaller.
CGO_ENABLED=0 GOFLAGS='' GOWORK=off nice -n 10 \
    "${GO:-go}" build -trimpath -buildvcs=false -mod=readonly -gcflags=all=-dwarf=false -ldflags "$flags" -o "$out" .
