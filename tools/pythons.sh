#!/usr/bin/env bash
# pythons.sh find VERSION     prints the interpreter of that version that this machine has
# pythons.sh others PYTHON    prints the supported versions found, PYTHON's own left out
set -euo pipefail
supported="3.11 3.12 3.13"

# The version that a command runs, as 3.12; nothing if it does not run, or runs without the GIL.
version_of() {
    "$1" -c 'import sys, sysconfig, venv
if not sysconfig.get_config_var("Py_GIL_DISABLED"): print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

# A version manager's shim may be on PATH and still run nothing: each candidate is tried.
find_python() {
    local candidate
    for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if [ "$(version_of "$candidate")" = "$1" ]; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

case $1 in
find) find_python "$2" ;;
others)
    own=$(version_of "$2")
    for version in $supported; do
        if [ "$version" = "$own" ]; then continue; fi
        if find_python "$version" >/dev/null; then
            echo "$version"
        else
            echo "Python $version is not on this machine: not tested" >&2
        fi
    done
    ;;
*)
    sed -n '2,3p' "$0" >&2
    exit 2
    ;;
esac
