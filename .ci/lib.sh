# Shared by the scripts beside it: running suites one by one, timing them, ending what they started.
# shellcheck shell=bash

export CARGO_TERM_PROGRESS_WHEN=never

# A suite that ends with this code was skipped; the reason is in $skip_reason.
readonly SKIPPED=77

target_dir() { echo "${CARGO_TARGET_DIR:-target}"; }
venv() { echo "$(cd "$(target_dir)" && pwd)/venv"; }

# Ends the running suite as skipped.
skip() {
    echo "$*" >"$skip_reason"
    exit "$SKIPPED"
}

# Installs the Debian package of each missing program, given as PROGRAM:PACKAGE.
install_packages() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
    done
    [ "${#missing[@]}" = 0 ] || install_debian "${missing[@]}"
}

# Installs Debian packages, or skips where that cannot be done.
install_debian() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || skip "missing here: $* (sudo apt-get install $*)"
    apt-get update -q
    # By its run level 1, servers are installed and not started.
    RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"
}

# Ends what the running suite started: it is the leader of a process group of its own.
running=
end_running() {
    if [ -n "$running" ]; then
        kill -TERM -- "-$running" 2>/dev/null || true
        sleep 1
        kill -KILL -- "-$running" 2>/dev/null || true
        running=
    fi
    rm -f "${skip_reason:-}"
}

run_suites() {
    local name began code failed=0 verdict
    skip_reason=$(mktemp)
    trap end_running EXIT
    trap 'exit 130' INT TERM
    for name in "$@"; do
        declare -F "suite_$name" >/dev/null || { echo "no suite is named '$name'" >&2; exit 2; }
    done
    for name in "$@"; do
        printf '\n== %s\n' "$name"
        began=$SECONDS
        : >"$skip_reason"
        set -m
        (set -euo pipefail; trap - EXIT INT TERM; "suite_$name") </dev/null &
        running=$!
        set +m
        code=0
        wait "$running" || code=$?
        # Whatever it left behind ends with it.
        kill -TERM -- "-$running" 2>/dev/null || true
        running=
        case $code in
            0) verdict=passed ;;
            "$SKIPPED") if [ -s "$skip_reason" ]; then verdict=skipped; else verdict=failed; fi ;;
            *) verdict=failed ;;
        esac
        [ "$verdict" = failed ] && failed=1
        printf '== %s: %s in %s s%s\n' "$name" "$verdict" "$((SECONDS - began))" \
            "$([ "$verdict" = skipped ] && printf ': %s' "$(cat "$skip_reason")")"
        if [ -n "${TIDEGATE_SUITES:-}" ]; then
            printf '%s\t%s\t%s\t%s\n' "$name" "$verdict" "$((SECONDS - began))" "$(cat "$skip_reason")" >>"$TIDEGATE_SUITES"
        fi
    done
    return "$failed"
}
