# shellcheck shell=bash
# Starting the simulator and asking it, for the tests in this folder. Source it.

FAILURES=0
CHECKS=0

# start_awssim BINARY FLAG...: serves in the background; sets SIM_URL and SIM_PID.
start_awssim() {
    local binary=$1
    shift
    rm -f -- "$SIM_DIR/ready"
    "$binary" --listen 127.0.0.1:0 --ready-file "$SIM_DIR/ready" "$@" 2>>"$SIM_DIR/log" &
    SIM_PID=$!
    for _ in {1..200}; do
        [[ -e $SIM_DIR/ready ]] && break
        kill -0 "$SIM_PID" 2>/dev/null || break
        read -rt 0.05 <> <(:) || :
    done
    if [[ ! -e $SIM_DIR/ready ]]; then
        cat "$SIM_DIR/log" >&2
        return 1
    fi
    SIM_URL=$(<"$SIM_DIR/ready")
}

stop_awssim() {
    [[ -n ${SIM_PID:-} ]] || return 0
    kill "$SIM_PID" 2>/dev/null || :
    wait "$SIM_PID" 2>/dev/null
    local status=$?
    SIM_PID=
    return "$status"
}

# sim METHOD PATH [BODY]: one of the endpoints under /_sim/.
sim() {
    curl --silent --show-error --max-time 30 -X "$1" "$SIM_URL/_sim/$2" ${3+--data-binary "$3"}
}

advance() {
    sim POST clock "{\"advanceSeconds\": $1}" >/dev/null
}

# check NAME GOT WANT
check() {
    CHECKS=$((CHECKS + 1))
    if [[ $2 != "$3" ]]; then
        FAILURES=$((FAILURES + 1))
        printf 'FAILED %s\n  want: %s\n  got:  %s\n' "$1" "$3" "$2" >&2
    fi
}

# check_has NAME GOT PART
check_has() {
    CHECKS=$((CHECKS + 1))
    if [[ $2 != *"$3"* ]]; then
        FAILURES=$((FAILURES + 1))
        printf 'FAILED %s\n  want: ...%s...\n  got:  %s\n' "$1" "$3" "$2" >&2
    fi
}

finish() {
    printf '%s checks, %s failed\n' "$CHECKS" "$FAILURES"
    [[ $FAILURES -eq 0 ]]
}
