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
STATE=$ROOT/var/lib/clickstream
BUCKET=s3://$ARTIFACTS_BUCKET
mkdir -p "$STATE"

case $ROLE_SET in
  warehouse)
    OWNER=dwh_owner NETWORK_ROLE=etl_writer LOCAL_ROLES=(dwh_owner dashboard_reader analyst)
    ROLES=(dwh_owner etl_writer dashboard_reader analyst)
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

object_size() { aws s3 ls "$1" | awk -v name="${1##*/}" '$4 == name { print $3 }'; } # in bytes, of s3://BUCKET/KEY

as_postgres() { (cd / && runuser -u postgres -- "$@"); }

sql() { # as the superuser, over the socket
  as_postgres psql -X -q -v ON_ERROR_STOP=1 -h "$SOCKETS" -p "$PORT" -U postgres "$@"
}

parameter_of() { # parameter_of ROLE: the name of its password's parameter
  local name="${1//_/-}-password"
  [[ $1 != "$OWNER" ]] || name=owner-password
  printf '%s\n' "$PARAMETER_PREFIX/$name"
}

# The password of a role, on stdout. Callers keep it in a variable that is not exported, or in a pipe.
password_of() {
  local name value
  name=$(parameter_of "$1")
  value=$(aws ssm get-parameter --name "$name" --with-decryption \
    --query Parameter.Value --output text) || die "cannot read the parameter $name"
  [[ -n $value ]] || die "the parameter $name is empty"
  printf '%s\n' "$value"
}

# succeeded TASK DETAIL: remembers when a task last ended well, and what came of it; the host's state tells both.
succeeded() {
  replace "$STATE/succeeded-$1" root:root 0644 "$(date -u +%FT%TZ)"$'\t'"$2"
}

# replace PATH OWNER MODE TEXT: puts a file in place in one step; CHANGED says whether that changed it.
replace() {
  local new
  CHANGED=no
  if [[ -f $1 && $(<"$1") == "$4" ]]; then return; fi
  new=$(mktemp "$1.XXXXXX")
  printf '%s\n' "$4" >"$new"
  chown "$2" "$new"
  chmod "$3" "$new"
  mv -f "$new" "$1"
  CHANGED=yes
}
