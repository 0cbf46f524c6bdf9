#!/bin/sh
# Installs what the tests need and a fresh Debian or Ubuntu lacks. Does nothing when it is there.
set -eu
need=""
command -v node >/dev/null 2>&1 || need="$need nodejs npm"
[ -x /usr/bin/chromium ] || need="$need chromium"
fc-list 2>/dev/null | grep -qi 'noto.*arab' || need="$need fontconfig fonts-noto-core"
{ ls /usr/lib/postgresql/*/bin/postgres || command -v postgres || [ -n "${WELLGATE_PGBIN:-}${WELLGATE_POSTGRES:-}" ]; } >/dev/null 2>&1 || need="$need postgresql"
[ -z "$need" ] && exit 0
run=""
[ "$(id -u)" = 0 ] || run="sudo"
echo "installing:$need"
$run apt-get update -qq
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $need >/dev/null
