#!/usr/bin/env bash
# Sets up, builds and passes all tests.
#
#   test.sh           every tier; half an hour, and once some ten minutes for each of two control planes
#   test.sh --quick   no control plane, no sanitizers: under two minutes
#
# A tier that this machine cannot run is skipped and named in the last lines; with CI=true that is a failure.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=hack/lib/paths.sh
source "$here/lib/paths.sh"
# shellcheck source=hack/lib/common.sh
source "$here/lib/common.sh"

quick=false
case ${1:-} in
'') ;;
--quick) quick=true ;;
--help | -h) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;;
*) die "unknown argument $1; see --help" ;;
esac

jobs=$(nproc)
logs=$SR_ROOT/build/test-logs
passed=0 failed=0 skipped=0
summary=()
missing=()

stage() {
    printf '\n== %s (%ds)\n' "$1" "$SECONDS"
}

# build PRESET [CMAKE-ARGUMENT...]
build() {
    local preset=$1
    shift
    (cd "$SR_ROOT" && quietly "$logs/$preset-configure.log" cmake --preset "$preset" "$@" &&
        quietly "$logs/$preset-build.log" cmake --build --preset "$preset" -j "$jobs")
}

# How many tests of a kind a log of cmocka has.
count_in() {
    grep -cE -e "$1" "$2" || true
}

# tier NAME BUILD-DIR CTEST-ARGUMENT...: runs it, prints its closing lines and remembers its count.
tier() {
    local name=$1 dir=$2 log="$logs/${1// /-}.log" ok=true started=$SECONDS good bad skip
    shift 2
    (cd "$SR_ROOT/$dir" && ctest --output-on-failure --no-tests=error -j "$jobs" "$@") >"$log.out" 2>&1 || ok=false
    cp "$SR_ROOT/$dir/Testing/Temporary/LastTest.log" "$log" 2>/dev/null || : >"$log"
    good=$(($(count_in '^\[       OK \]' "$log") + $(sed -n 's/^\([0-9]*\) passed, [0-9]* failed.*/\1/p' "$log" | paste -sd+ | grep . || echo 0)))
    bad=$(count_in '^\[  FAILED  \] [^0-9 ]' "$log")
    skip=$(count_in '\*\*\*Skipped' "$log.out")
    if ! $ok; then
        grep -vE '^ *[0-9]+/[0-9]+ Test .*Passed' "$log.out" | tail -n 150
        bad=$((bad > 0 ? bad : 1))
    else
        grep -E '^[0-9]+% tests passed' "$log.out" || true
    fi
    passed=$((passed + good)) failed=$((failed + ($($ok && echo 0 || echo "$bad")))) skipped=$((skipped + skip))
    summary+=("$(printf '%-38s %5d tests %4ds%s' "$name" "$good" $((SECONDS - started)) "$($ok || echo '  FAILED')")")
    if ((skip)); then
        missing+=("$name: $(grep -E '\*\*\*Skipped' "$log.out" | sed 's/.*Test *#[0-9]*: //; s/ \.\..*//' | paste -sd' ')")
    fi
}

# check NAME COMMAND...: a step that either passes or not.
check() {
    local name=$1 started=$SECONDS log="$logs/${1// /-}.log"
    shift
    if "$@" >"$log" 2>&1 </dev/null; then
        passed=$((passed + 1))
        summary+=("$(printf '%-38s %5d check %4ds' "$name" 1 $((SECONDS - started)))")
    else
        failed=$((failed + 1))
        summary+=("$(printf '%-38s %5d check %4ds  FAILED' "$name" 1 $((SECONDS - started)))")
        tail -n 60 "$log"
    fi
}

finish() {
    printf '\n'
    printf '%s\n' "${summary[@]}"
    for line in "${missing[@]}"; do
        printf 'skipped: %s\n' "$line"
    done
    if ((skipped)) && [[ ${CI:-} == true ]]; then
        printf 'CI skips nothing\n'
        failed=$((failed + 1))
    fi
    printf 'in %d s\n%d passed, %d failed, %d skipped\n' "$SECONDS" "$passed" "$failed" "$skipped"
    ((failed == 0))
}

mkdir -p "$logs"
stage "set up"
if $quick; then
    "$here/setup.sh"
else
    "$here/setup.sh" --tests || missing+=("what hack/setup.sh --tests could not install")
fi
# Four builds of the same files: what a former run, of any clone, has compiled is not compiled again.
if command -v ccache >/dev/null; then
    export CMAKE_C_COMPILER_LAUNCHER=ccache CCACHE_DIR=$SR_CACHE/ccache CCACHE_BASEDIR=$SR_ROOT CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=2G
fi

stage "release build"
build release
if $quick; then
    stage "tests"
    export SR_SEEDS=8
    tier "unit" build -L unit
    tier "integration, the quick ones" build -L integration -E "credentials|canary|aws_cli"
    tier "simulation, some seeds" build -R "^simulation/(refresh|crashes|answers|switchover|deletions|requests|retention|series|failures)_test$"
    finish
    exit
fi

stage "tests of the release build"
tier "unit" build -L unit
# Side by side: those on a cluster run one at a time and wait more than they work.
tier "integration, simulation, e2e" build -L "integration|simulation|e2e"

stage "the oldest Kubernetes"
if env -u KUBEBUILDER_ASSETS SR_KUBERNETES=1.30 "$here/control-plane.sh" build; then
    check "on Kubernetes 1.30" "$here/lib/oldest.sh" "$SR_ROOT/build"
else
    skipped=$((skipped + 1))
    missing+=("on Kubernetes 1.30: its control plane could not be built")
fi

stage "address and undefined-behaviour sanitizers"
build debug
export SR_SEEDS=8
tier "unit, asan+ubsan" build-debug -L unit
# The canary test reads the process's memory, which a sanitizer fills with terabytes of shadow.
tier "integration, simulation, asan+ubsan" build-debug -L "integration|simulation" -E canary
tier "e2e, asan+ubsan" build-debug -R '^e2e/main_job$'

stage "thread sanitizer"
build tsan
export SR_SEEDS=8
# libwebsockets is not instrumented: what it orders between threads is not seen.
tier "unit, tsan" build-tsan -L unit -E "^house/|^pkg/serve/serve_test$"
tier "simulation, tsan" build-tsan -R '^simulation/(refresh|failures|lies|settings|vaults|password|password_kinds|objects_memory|sim_transport)_test$'

stage "valgrind"
export SR_SEEDS=2
check "valgrind" "$here/lib/valgrind.sh" "$SR_ROOT/build"

stage "fuzz targets"
build fuzz
check "fuzz, briefly" "$here/lib/fuzz.sh" "$SR_ROOT/build-fuzz" 5

finish
