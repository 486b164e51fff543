# shellcheck shell=bash disable=SC2034 # sourced by every script of the host, which use what it sets
set -euo pipefail
umask 022
ROOT=${ROOT:-}
set -a
# shellcheck disable=SC1091 # made at synth
. "$ROOT/etc/clickstream/host.env"
set +a
LIB=$ROOT/usr/local/lib/clickstream
VOLUME=$ROOT/var/lib/pgsql
CLUSTER=$VOLUME/data
SOCKETS=$ROOT/run/postgresql
BUCKET=s3://$ARTIFACTS_BUCKET

case $ROLE_SET in
  warehouse)
    OWNER=dwh_owner NETWORK_ROLE=etl_writer LOCAL_ROLES=(dwh_owner dashboard_reader)
    ROLES=(dwh_owner etl_writer dashboard_reader)
    ;;
  web)
    OWNER=web_owner NETWORK_ROLE=web_app LOCAL_ROLES=(web_owner)
    ROLES=(web_owner web_app)
    ;;
esac

log() { printf 'clickstream: %s\n' "$*" >&2; }

die() {
  log "FAILED: $*"
  exit 1
}

# alone NAME ARGUMENTS...: starts this script again as the only one that holds the lock of that name.
alone() {
  local lock=$1
  shift
  if [[ ${LOCKED:-} == "$lock" ]]; then return; fi
  LOCKED=$lock exec flock -o "$ROOT/run/clickstream-$lock.lock" "$0" "$@" # -o: children must not keep it
}

as_postgres() { (cd / && runuser -u postgres -- "$@"); }

sql() { # as the superuser, over the socket
  as_postgres psql -X -q -v ON_ERROR_STOP=1 -h "$SOCKETS" -p "$PORT" -U postgres "$@"
}

# The password of a role, on stdout. Callers keep it in a variable that is not exported, or in a pipe.
password_of() {
  local name="${1//_/-}-password" value
  [[ $1 != "$OWNER" ]] || name=owner-password
  value=$(aws ssm get-parameter --name "$PARAMETER_PREFIX/$name" --with-decryption \
    --query Parameter.Value --output text) || die "cannot read the parameter $PARAMETER_PREFIX/$name"
  [[ -n $value ]] || die "the parameter $PARAMETER_PREFIX/$name is empty"
  printf '%s\n' "$value"
}

# replace PATH OWNER MODE TEXT: puts a file in place in one step; CHANGED says whether that changed it.
replace() {
  local new
  CHANGED=no
  if printf '%s\n' "$4" | cmp -s - "$1"; then return; fi
  new=$(mktemp "$1.XXXXXX")
  printf '%s\n' "$4" >"$new"
  chown "$2" "$new"
  chmod "$3" "$new"
  mv -f "$new" "$1"
  CHANGED=yes
}
