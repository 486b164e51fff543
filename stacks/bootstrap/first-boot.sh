#!/bin/bash
# Run by cloud-init at each boot: writes host.env, fetches the host's files from the artifacts bucket unless these very
# ones are laid, then sets the host up. ROOT is empty on a host; a test runs this in a scratch folder.
set -euo pipefail
export ROOT=${ROOT:-}
LAID=$ROOT/usr/local/lib/clickstream/sha256

say() { printf 'clickstream: %s\n' "$*" >&2; }

put() { # put PATH MODE < text
  mkdir -p "$ROOT/$(dirname "$1")"
  cat >"$ROOT/$1.new"
  chmod "$2" "$ROOT/$1.new"
  mv -f "$ROOT/$1.new" "$ROOT/$1"
}
export -f put

# Ten minutes: a role and an endpoint that were only just made are not there for every request at once.
fetch() { # fetch TO
  local tries=${FETCH_TRIES:-60}
  until aws s3 cp "s3://$ARTIFACTS_BUCKET/$HOST_FILES_KEY" "$1" --only-show-errors; do
    ((--tries)) || return 1
    sleep 10
  done
}

# Nothing is run that is not what the deploy had in mind: whoever can write to the bucket is not root here.
lay_files() {
  local file sum
  if [[ -s $LAID && $(<"$LAID") == "$HOST_FILES_SHA256" ]]; then return; fi
  file=$(mktemp) && fetch "$file" || return 1
  sum=$(sha256sum <"$file" | cut -d ' ' -f 1)
  if [[ $sum != "$HOST_FILES_SHA256" ]]; then
    say "s3://$ARTIFACTS_BUCKET/$HOST_FILES_KEY has the SHA-256 $sum, not $HOST_FILES_SHA256"
    return 1
  fi
  bash -euo pipefail "$file" && printf '%s\n' "$sum" >"$LAID" && rm "$file"
}

main() {
  # shellcheck source=/dev/null
  . "$ROOT/etc/clickstream/host.env"
  if ! lay_files; then
    if [[ ! -s $LAID ]]; then
      say 'FAILED: there are no files to set this host up with; reboot it once they can be fetched'
      exit 1
    fi
    say 'going on with the files of an earlier boot'
  fi
  systemctl daemon-reload
  if ! "$ROOT/usr/local/lib/clickstream/setup"; then
    systemctl start --no-block clickstream-setup.service # which tries again until it succeeds
    exit 1
  fi
}
