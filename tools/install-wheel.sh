#!/usr/bin/env bash
# install-wheel.sh ENVIRONMENT PROFILE FOLDER
# Builds the wheel for an environment's Python into FOLDER, installs it there, marks it `built`.
# PROFILE is maturin's own flag: --release or --profile=quick.
set -euo pipefail
environment=$1 profile=$2 folder=$3

mkdir -p "$folder"
rm -f "$folder"/seawall-*.whl
"$environment/bin/maturin" build "$profile" --out "$folder" --interpreter "$environment/bin/python"
"$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
    --force-reinstall --no-deps "$folder"/seawall-*.whl
touch "$environment/built"
