# shellcheck shell=bash
# Small helpers of the scripts in this folder. Source it.

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "${0##*/}: $*"
    exit 1
}

# quietly LOG COMMAND...: runs it with its output in LOG, of which the end is shown if it fails.
quietly() {
    local log=$1
    shift
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 25 "$log" >&2
        say "${0##*/}: '$1' failed; all its output is in $log"
        return 1
    fi
}

# make_venv DIR REQUIREMENTS: a Python environment; either complete or absent.
make_venv() {
    local dir=$1 requirements=$2 python=/usr/bin/python3
    [[ -e $dir/.complete ]] && return
    [[ -x $python ]] || python=python3
    rm -rf -- "$dir"
    mkdir -p -- "$(dirname "$dir")"
    quietly "$dir.log" "$python" -m venv "$dir" || return
    quietly "$dir.log" "$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --requirement "$requirements" || return
    : >"$dir/.complete"
}

# version_at_least HAVE WANT, both like 1.26.0
version_at_least() {
    [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$2" ]]
}
