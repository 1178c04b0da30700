#!/usr/bin/env bash
# House rules that a machine can check: check.sh [CHECK...], all of them without an argument. Each breach is one line
# "file:line: what"; exit status 1 when there is any, 77 when nothing could be checked for lack of a tool.
set -euo pipefail
shopt -s nullglob globstar
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly LINES_MAX=800
readonly FUNCTION_LINES_MAX=80
readonly PRODUCT=(pkg controller plugin hack/awssim)
readonly TREE=(pkg controller plugin hack/awssim tests)

skipped=0
report=$(mktemp) # breaches are found in pipelines, that is in subshells: a variable would forget them
trap 'rm -f "$report"' EXIT

breach() {
    printf '%s\n' "$*" | tee -a "$report"
}

# Reads lines of "file:line: text" and reports each with what is wrong about it.
breach_each() {
    local line
    while IFS= read -r line; do
        breach "$line   <- $1"
    done
}

c_files() { # DIR...
    find "$@" -name '*.[ch]' -type f | sort
}

# "file:line:text" of the lines that match.
lines_with() { # REGEX DIR...
    local regex=$1
    shift
    c_files "$@" | xargs -r grep -nHE "$regex" || true
}

# The code of files as "file:line:text", without comments and with texts emptied, so that a word in prose is no breach.
code_of() { # DIR...
    c_files "$@" | xargs -r awk '
        FNR == 1 { in_comment = 0 }
        {
            out = ""; rest = $0
            while (rest != "") {
                if (in_comment) {
                    at = index(rest, "*/")
                    if (!at) break
                    rest = substr(rest, at + 2); in_comment = 0
                } else if (match(rest, /\/\*|\/\/|"([^"\\]|\\.)*"|\047([^\047\\]|\\.)*\047/)) {
                    token = substr(rest, RSTART, RLENGTH)
                    out = out substr(rest, 1, RSTART - 1)
                    rest = substr(rest, RSTART + RLENGTH)
                    if (token == "/*") in_comment = 1
                    else if (token == "//") break
                    else out = out substr(token, 1, 1) substr(token, 1, 1)
                } else {
                    out = out rest; rest = ""
                }
            }
            if (out ~ /[^ \t]/) print FILENAME ":" FNR ":" out
        }'
}

# Calls of any of the functions in "file:line:text" on standard input; members of that name (x->poll(), x.poll()) are not meant.
calls_of() { # NAME...
    local names
    names=$(IFS='|'; echo "$*")
    grep -E "(^|[^A-Za-z0-9_>.])($names)[[:space:]]*\(" || true
}

without() { # FILE-PATTERN (extended regular expression on the file's name)
    grep -vE "^($1):" || true
}

# --- arrows: controller -> {refresh, kube, aws, serve} -> http -> base; plugin -> {refresh, kube} ---

# Which folders of ours a folder may include; its own it always may.
readonly ARROWS=(
    "pkg/base:"
    "pkg/http:pkg/base"
    "pkg/serve:pkg/base pkg/http"
    "pkg/kube:pkg/base pkg/http"
    "pkg/aws:pkg/base pkg/http"
    "pkg/refresh:pkg/base"
    "controller:pkg/base pkg/http pkg/serve pkg/kube pkg/aws pkg/refresh"
    "plugin:pkg/base pkg/http pkg/kube pkg/refresh"
    "hack/awssim:pkg/base"
)

check_arrows() {
    local entry folder allowed include file line may ok
    for entry in "${ARROWS[@]}"; do
        folder=${entry%%:*}
        allowed="$folder ${entry#*:}"
        while IFS=: read -r file line include; do
            ok=no
            for may in $allowed; do
                [[ $include == *"\"$may/"* ]] && ok=yes
            done
            [[ $ok == yes ]] || breach "$file:$line: $folder may not use $include"
        done < <(lines_with '^[[:space:]]*#[[:space:]]*include[[:space:]]*"' "$folder")
    done
    lines_with '^[[:space:]]*#[[:space:]]*include[[:space:]]*"(\.|[^"/]*")' "${TREE[@]}" |
        breach_each "includes are written from the root"
}

# --- waits: nothing waits, and nothing reads a clock, outside the seam ---

# Who owns a system wait: the plain scheduler and the baton; libcurl's loop; the HTTP servers; the two tasks that read from a
# credential plugin and wait for its end (their caller parks); and what waits for a signal.
readonly SEAM='pkg/base/sched_(threads|seeded)\.c|pkg/http/transport_curl\.c|pkg/serve/[^:]*\.c|hack/awssim/server[^/:]*\.c|pkg/base/child\.c|controller/signals\.c|hack/awssim/main\.c'

check_waits() {
    code_of "${PRODUCT[@]}" | without "$SEAM" |
        calls_of sleep usleep nanosleep clock_nanosleep poll ppoll select pselect epoll_wait epoll_pwait epoll_pwait2 \
            pthread_cond_wait pthread_cond_timedwait pthread_cond_clockwait pthread_create pthread_join pthread_barrier_wait \
            sem_wait sem_timedwait pause sigwait sigwaitinfo sigtimedwait sigsuspend waitpid waitid wait4 \
            curl_multi_poll curl_multi_wait curl_easy_perform lws_service \
            time clock clock_gettime gettimeofday ftime rand random srand drand48 alarm setitimer |
        breach_each "waits, clocks, threads and chance come through pkg/base/sched.h and random.h"
    # Tests wait for what they wait for; none sleeps "to give it time".
    code_of tests |
        calls_of sleep usleep nanosleep clock_nanosleep | breach_each "a test never sleeps"
}

# --- environment: read in one place ---

check_environment() {
    code_of "${PRODUCT[@]}" |
        without 'controller/main\.c|plugin/main\.c|hack/awssim/main\.c' | calls_of getenv secure_getenv setenv putenv unsetenv exit |
        breach_each "only main.c reads the environment and exits"
}

# --- libraries: each is known to its module alone ---

# Header of the library (extended regular expression) and the files that may include it.
readonly LIBRARIES=(
    'curl/ pkg/http/transport_curl[^/:]*\.[ch]'
    'cjson/|cJSON pkg/base/(json[^/:]*|wiping)\.c'
    'yaml\.h pkg/base/yaml\.c'
    'libwebsockets pkg/serve/[^:]*'
    'microhttpd hack/awssim/server[^/:]*'
    'openssl/ pkg/base/[^:]*|pkg/serve/[^:]*|hack/awssim/[^:]*'
)

check_libraries() {
    local entry
    for entry in "${LIBRARIES[@]}"; do
        lines_with "^[[:space:]]*#[[:space:]]*include[[:space:]]*<(${entry%% *})" "${PRODUCT[@]}" |
            without "${entry#* }" | breach_each "this library has a module of its own"
    done
    # Third-party types never appear in a header that others include.
    code_of "${PRODUCT[@]}" | without '[^:]*(\.c|_priv\.h)' |
        { grep -E '\b(CURLM?|CURLcode|cJSON|yaml_(parser|event|node|token)_t|struct lws|EVP_[A-Z]|SSL_CTX|SSL|X509|struct MHD_)\b' || true; } |
        breach_each "no third-party type in a header"
}

# --- memory and control flow ---

check_memory() {
    local code
    code=$(code_of "${PRODUCT[@]}")
    without 'pkg/base/[^:]*' <<<"$code" | calls_of malloc calloc realloc reallocarray strdup strndup asprintf vasprintf free |
        breach_each "memory comes from pkg/base/alloc.h"
    { grep -E '(^|[^A-Za-z0-9_])goto[[:space:]]' <<<"$code" || true; } | breach_each "cleanup is by scope"
    { grep -E ':[[:space:]]*typedef[[:space:]]+(struct|enum|union)[^(]*$' <<<"$code" || true; } | breach_each "structs are not typedef'd"
}

# --- sizes ---

check_sizes() {
    local file lines name start end
    while IFS= read -r file; do
        lines=$(wc -l <"$file")
        ((lines <= LINES_MAX)) || breach "$file:1: $lines lines, the limit is $LINES_MAX"
    done < <(find "${TREE[@]}" hack -type f \( -name '*.[ch]' -o -name '*.sh' -o -name '*.go' -o -name '*.cmake' \) | sort -u)
    if ! ctags --version 2>/dev/null | grep -q Universal; then
        echo "no Universal Ctags: functions are not measured"
        return
    fi
    local measured
    measured=$(c_files "${PRODUCT[@]}" |
        ctags -L - -x --c-kinds=f --fields=+e --_xformat='%N %F %n %e' |
        awk '{ print $4 - $3 + 1, $2, $3, $1 }' | sort -rn)
    awk '{ sizes[NR] = $1 } END { if (NR) print NR " functions, median " sizes[int((NR + 1) / 2)] " lines; the longest ten:" }' <<<"$measured"
    head -n 10 <<<"$measured" | awk '{ printf "  %3d  %s:%d  %s\n", $1, $2, $3, $4 }'
    while read -r lines file start name; do
        ((lines <= FUNCTION_LINES_MAX)) || breach "$file:$start: $name() has $lines lines, the limit is $FUNCTION_LINES_MAX"
    done <<<"$measured"
}

# --- headers stand alone ---

compile_header() {
    printf '#include "%s"\n' "$1" |
        "${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -DSR_SOURCE_DIR='""' -DSR_BINARY_DIR='""' -I. -include pkg/base/banned.h -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1 |
        sed -n "1,3s|^|$1: |p"
}

check_headers() {
    export -f compile_header
    # Headers that show a library are compiled with what their one user compiles with: plain include paths do for all of them.
    find "${TREE[@]}" -name '*.h' ! -name banned.h -type f | sort |
        xargs -r -P 2 -I{} bash -c 'compile_header {}' | breach_each "a header compiles alone"
    find "${TREE[@]}" -name '*.h' -type f | sort | while IFS= read -r file; do
        grep -qE '^#ifndef [A-Z0-9_]+_H$' "$file" || echo "$file:1:"
    done | breach_each "no include guard"
}

# --- layout ---

check_format() {
    local tool
    tool=$(command -v clang-format-14 || true)
    if [[ -z $tool ]]; then
        echo "no clang-format-14: the layout is not checked"
        skipped=1
        return
    fi
    { c_files "${TREE[@]}" | xargs -r -P 2 -n 20 "$tool" --dry-run -Werror --ferror-limit=1 2>&1 || true; } |
        { grep -E '^[^ ]+:[0-9]+:[0-9]+: error' || true; } | breach_each "run clang-format-14 -i"
}

# --- strays: nothing of somebody's workplace, nothing left over ---

check_strays() {
    local files
    files=$(git ls-files --cached --others --exclude-standard 2>/dev/null || find . -type f -not -path './build*')
    grep -vE '^(LICENSE|tests/house/check\.sh|.*\.sum)$' <<<"$files" | tr '\n' '\0' |
        xargs -0 -r grep -nIE '/work/|\.\./shared|/tmp/(build|brief)|[Ii]ssue #?[0-9]|#[0-9]+\b.*(issue|PR)|FIXME|XXX[^X]|<<<<<<<|>>>>>>>' 2>/dev/null |
        { grep -vE 'XXXXXX' || true; } | breach_each "left over"
    lines_with '[[:space:]]+$' "${TREE[@]}" | breach_each "white space at the end"
}

main() {
    local checks=("$@") check
    ((${#checks[@]})) || checks=(arrows waits environment libraries memory sizes headers format strays)
    for check in "${checks[@]}"; do
        "check_$check"
    done
    if [[ -s $report ]]; then
        echo "$(wc -l <"$report") breaches"
        exit 1
    fi
    if ((skipped && ${#checks[@]} == 1)); then
        exit 77
    fi
    echo "fine: ${checks[*]}"
}

main "$@"
