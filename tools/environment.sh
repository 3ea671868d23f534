#!/usr/bin/env bash
# environment.sh PYTHON FOLDER REQUIREMENTS...
# Makes (or brings up to date) one virtual environment and marks it `ready`.
set -euo pipefail
python=$1 folder=$2
shift 2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "seawall needs Python 3.11 or newer; say which one: make PYTHON=python3.12 …" >&2
    exit 1
}
# Always anew: an environment half-made, or of an interpreter that is gone, is of no use.
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check "${@/#/--requirement=}"
touch "$folder/ready"
