#!/usr/bin/env bash
# Write dev.txt and serve.txt anew from pyproject.toml and constraints.in: exact versions, the hashes of every
# platform's files, no host and no path. Versions that still fit are kept; `UPGRADE=1` takes the newest.
# Needs the development environment (pip-tools) and the package index that pip is set up for. Takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() { # compile EXTRA FILE [pip-compile arguments]
    local extra=$1 file=$2
    shift 2
    .venv/bin/pip-compile pyproject.toml --extra "$extra" --constraint requirements/constraints.in --output-file "$file" \
        --quiet --generate-hashes --strip-extras --no-annotate --no-header \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-emit-options \
        --unsafe-package modelyard --unsafe-package torch --unsafe-package pip "$@"
    # pip-compile ends with a remark on what it left out on purpose (ourselves, torch, pip).
    sed -i -e '/^# WARNING: /,$d' -e '/^# The following packages/,$d' "$file"
    sed -i -e '/./,$!d' -e :a -e '/^\n*$/{$d;N;ba' -e '}' "$file"
    printf '%s\n%s\n' "# Made by \`make lock\` from pyproject.toml [$extra]. Install: pip install --no-deps --require-hashes -r $file" \
        "$(cat "$file")" >"$file.new"
    mv "$file.new" "$file"
}

compile dev requirements/dev.txt ${UPGRADE:+--upgrade}
compile serve requirements/serve.txt --constraint requirements/dev.txt
