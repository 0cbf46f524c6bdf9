#!/bin/sh
# Checks the pages in a real browser against a made-up practice of its own. Needs Node.js, npm, Chromium and bin/wellgate.
#   test/browser/run.sh              all of it
#   test/browser/run.sh keyboard     the chapters whose name holds the word
#   test/browser/run.sh shots        pictures of every page into docs/shots
set -eu
cd "$(dirname "$0")"
if ! cmp -s package-lock.json node_modules/.wellgate-lock; then
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.wellgate-lock
fi
[ -x "${WELLGATE:-../../bin/wellgate}" ] || { echo "bin/wellgate is missing: run make build first" >&2; exit 1; }
if [ "${1:-}" = shots ]; then
  shift
  exec node shots.mjs "$@"
fi
exec node main.mjs "$@"
