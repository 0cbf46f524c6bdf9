#!/usr/bin/env bash
# Runs the kit in $1 over a fresh practice on SQLite: prints its JSON line, then the table. Loopback only; leaves nothing behind.
set -euo pipefail
kit=$1; bin=$PWD/bin/wellgate; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bundles"
for f in "${WELLGATE_CORPUS:?name the corpus}"/synthea/r4-2019/*.json.gz; do gunzip -c "$f" >"$tmp/bundles/$(basename "${f%.gz}")"; done
"$bin" init --dir "$tmp/p" --name Kit --phone 1 --host portal.example --zone UTC >/dev/null
port=${KIT_PORT:-18493}
"$kit/kit.sh" "http://127.0.0.1:$port/fhir" '' "$tmp/bundles" -name wellgate-sqlite \
  -start "$bin serve --dir $tmp/p --plain 127.0.0.1:$port" -startdir "$tmp" -startlog "$tmp/log" \
  -authcmd "echo Authorization: Bearer \$($bin token make --dir $tmp/p --name Kit --scope 'system/*.cruds' --rate 0 | head -1)" \
  -disk "du -sb $tmp/p | cut -f1" ${KIT_FLAGS:-} >"$tmp/out.json"
cat "$tmp/out.json"; "$kit/table.sh" "$tmp/out.json"
