#!/bin/bash
# Run by cloud-init at each boot: lays the files of the host, each carried below, then sets it up.
# ROOT is empty on a host; a test runs this in a scratch folder.
set -euo pipefail
export ROOT=${ROOT:-}

put() { # put PATH MODE < text
  mkdir -p "$ROOT/$(dirname "$1")"
  cat >"$ROOT/$1.new"
  chmod "$2" "$ROOT/$1.new"
  mv -f "$ROOT/$1.new" "$ROOT/$1"
}

main() {
  systemctl daemon-reload
  if ! "$ROOT/usr/local/lib/clickstream/setup"; then
    systemctl start --no-block clickstream-setup.service # which tries again until it succeeds
    exit 1
  fi
}
