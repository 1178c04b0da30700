#!/usr/bin/env bash
# hack/control-plane.sh and its processes, with stand-ins for the programs: which one is ours, and when it has ended.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
work=$(mktemp -d)
dir=$work/state
passed=0 failed=0
export KUBEBUILDER_ASSETS=$work/assets

tidy_up() {
    "$root/hack/control-plane.sh" stop "$dir" etcd || true
    rm -rf -- "$work"
}
trap tidy_up EXIT

check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAIL %s\n' "$name"
        cat "$work/output"
    fi
}

control() {
    timeout 60 "$root/hack/control-plane.sh" "$1" "$dir" etcd >"$work/output" 2>&1 8>&-
}

fails() {
    ! "$@"
}

says() {
    grep -qF -- "$1" "$work/output"
}

# Serves /health; while it is being loaded, and here for ever, its arguments are not to be seen.
make_hidden() {
    cat >"$KUBEBUILDER_ASSETS/etcd" <<END
#!/usr/bin/env bash
exec -a etcd /usr/bin/python3 "$work/health.py"
END
    cat >"$work/health.py" <<'END'
import http.server, os, socketserver
class Health(http.server.BaseHTTPRequestHandler):
    def address_string(self):
        return "peer"
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
if os.path.exists("etcd.sock:0"):
    os.unlink("etcd.sock:0")
socketserver.UnixStreamServer("etcd.sock:0", Health).serve_forever()
END
}

make_ending() {
    printf '#!/bin/sh\necho "cannot lock"\nexit 1\n' >"$KUBEBUILDER_ASSETS/etcd"
}

mkdir -p "$KUBEBUILDER_ASSETS" "$dir/pki"
install -m 755 /dev/null "$KUBEBUILDER_ASSETS/etcd"

make_hidden
check "one whose arguments are not to be seen is awaited" control start
first=$(<"$dir/etcd.pid")
check "a second start leaves it alone" control start
check "it is still the same" test "$first" = "$(<"$dir/etcd.pid")"
check "stop ends it" control stop
check "it is gone" fails pgrep -f "$work/health.py"

# The number of a process that ended may by now be another's.
check "start" control start
sleep 300 &
other=$!
kill -KILL "$(<"$dir/etcd.pid")"
echo "$other" >"$dir/etcd.pid"
check "another's process is not taken for ours" control start
check "ours is a new one" fails test "$other" = "$(<"$dir/etcd.pid")"
check "stop, with another's number" control stop
check "the other one lives" kill -0 "$other"
kill "$other"

kill -KILL "$(control start && cat "$dir/etcd.pid")"
check "after a violent end it starts again" control start
check "and stops" control stop

make_ending
check "one that ends at once is told" fails control start
check "in a sentence" says "etcd ended before it was ready"
check "with what it said" says "cannot lock"

printf '%d passed, %d failed\n' "$passed" "$failed"
((failed == 0))
