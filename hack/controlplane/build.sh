#!/usr/bin/env bash
# build.sh OUT [MODULE-FILE]: compiles this folder with $GO (go, if unset).
#
# The module file pins the Kubernetes release: go.mod the newest that we test with, go-1.30.mod the oldest.
set -euo pipefail

out=$(realpath -m -- "$1")
module=${2:-go.mod}
cd "$(dirname "${BASH_SOURCE[0]}")"
version=$(sed -n 's/^\tk8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' "$module")
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
    "${GO:-go}" build -trimpath -buildvcs=false -mod=readonly -modfile="$module" -gcflags=all=-dwarf=false -ldflags "$flags" -o "$out" .
