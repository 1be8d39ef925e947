# Sourced by the scripts beside it: a virtual environment in .venv with the extra that is asked for.
# shellcheck shell=bash

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.13 python3.12 python3.11 python3 python; do
        if [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 \
            && "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer with its venv module is needed; set PYTHON to its path." >&2
    return 1
}

# make_venv EXTRA: .venv is made once and kept up to date with setup.cfg.
make_venv() {
    local extra=$1 python stamp
    stamp=.venv/installed-$extra
    if [ ! -x .venv/bin/python ]; then
        python=$(find_python) || return 1
        "$python" -m venv .venv || return 1
    fi
    if [ ! -f "$stamp" ] || [ setup.cfg -nt "$stamp" ] || [ constraints.txt -nt "$stamp" ]; then
        echo "installing provisioner[$extra] into .venv …" >&2
        .venv/bin/python -m pip install --quiet --disable-pip-version-check \
            --constraint constraints.txt --editable ".[$extra]" || return 1
        touch "$stamp"
    fi
}
