#!/usr/bin/env bash
# Runs the kit in $1 over a fresh practice: on SQLite, or in the empty PostgreSQL database that $2 names. Prints its JSON line,
# then the table. Loopback only; leaves nothing behind but what is in that database.
set -euo pipefail
kit=$1; bin=$PWD/bin/wellgate; tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bundles"
for f in "${WELLGATE_CORPUS:?name the corpus}"/synthea/r4-2019/*.json.gz; do gunzip -c "$f" >"$tmp/bundles/$(basename "${f%.gz}")"; done
name=wellgate-sqlite size="du -sb $tmp/p | cut -f1" store=()
if [ -n "${2:-}" ]; then
  name=wellgate-postgres store=(--store "$2")
  psql=$(command -v psql || ls /usr/lib/postgresql/*/bin/psql | tail -1)
  size="$psql '$2' -Atc 'SELECT pg_database_size(current_database())'"
fi
"$bin" init "${store[@]}" --dir "$tmp/p" --name Kit --phone 1 --host portal.example --zone UTC >/dev/null
port=${KIT_PORT:-18493}
"$kit/kit.sh" "http://127.0.0.1:$port/fhir" '' "$tmp/bundles" -name $name \
  -start "$bin serve --dir $tmp/p --plain 127.0.0.1:$port" -startdir "$tmp" -startlog "$tmp/log" \
  -authcmd "echo Authorization: Bearer \$($bin token make --dir $tmp/p --name Kit --scope 'system/*.cruds' --rate 0 | head -1)" \
  -disk "$size" ${KIT_FLAGS:-} >"$tmp/out.json"
cat "$tmp/out.json"; "$kit/table.sh" "$tmp/out.json"
