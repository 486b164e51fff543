# shellcheck shell=bash
# PostgreSQL: its packages, its cluster, its settings for this machine's memory, who may connect.

# Amazon Linux keeps its repositories in S3: they are reached through the gateway endpoint.
install_packages() {
  local packages=(postgresql18-server diffutils findutils openssl tar zstd)
  if rpm -q "${packages[@]}" >/dev/null 2>&1; then return; fi
  dnf install -y -q "${packages[@]}" || die "dnf cannot install ${packages[*]}: does the S3 endpoint's policy" \
    "allow the Amazon Linux repositories?"
}

init_cluster() {
  local installed
  [[ $(postgres --version) =~ ([0-9]+) ]]
  installed=${BASH_REMATCH[1]}
  chown postgres:postgres "$VOLUME"
  chmod 0700 "$VOLUME"
  if [[ -s $CLUSTER/PG_VERSION ]]; then
    [[ $(<"$CLUSTER/PG_VERSION") == "$installed" ]] || die "the volume holds a PostgreSQL" \
      "$(<"$CLUSTER/PG_VERSION") cluster and the host has PostgreSQL $installed: restore a dump instead" \
      "(runbook: restore from a dump)"
    log "keeping the PostgreSQL $installed cluster on the volume"
    return
  fi
  if [[ -n $(ls -A "$CLUSTER" 2>/dev/null) ]]; then
    die "$CLUSTER is not empty and holds no cluster: not touched"
  fi
  # Made beside its place and moved there whole: a crash half-way leaves nothing that looks like a cluster.
  rm -rf "$CLUSTER.new"
  as_postgres initdb -D "$CLUSTER.new" -U postgres --data-checksums --encoding=UTF8 \
    --locale-provider=builtin --locale=C.UTF-8 --auth-local=peer --auth-host=scram-sha-256 >/dev/null
  if [[ -d $CLUSTER ]]; then rmdir "$CLUSTER"; fi
  mv -T "$CLUSTER.new" "$CLUSTER"
  log "made a PostgreSQL $installed cluster"
}

at_most() { echo $(($1 < $2 ? $1 : $2)); }

# In MB, for a host that also runs the dashboard: a quarter of the memory is the server's own cache.
settings() {
  local memory disk work
  memory=$(awk '/^MemTotal:/ { print int($2 / 1024) }' "$ROOT/proc/meminfo")
  disk=$(df --output=size -B1M "$VOLUME" | tail -n 1)
  work=$(at_most $((memory / 128)) 64)
  cat <<END
# Written by clickstream-setup for $memory MB of memory; a change here is lost at its next run.
listen_addresses = '*'
port = $PORT
unix_socket_directories = '$SOCKETS'
max_connections = 40
shared_buffers = $((memory / 4))MB
effective_cache_size = $((memory * 5 / 8))MB
maintenance_work_mem = $(at_most $((memory / 16)) 1024)MB
work_mem = $((work > 4 ? work : 4))MB
max_wal_size = $(at_most $((disk / 10 > 128 ? disk / 10 : 128)) 4096)MB
min_wal_size = 80MB
wal_compression = on
checkpoint_timeout = 15min
random_page_cost = 1.1
idle_in_transaction_session_timeout = 15min
ssl = on
ssl_cert_file = 'server.crt'
ssl_key_file = 'server.key'
password_encryption = 'scram-sha-256'
logging_collector = off
log_destination = 'stderr'
log_min_duration_statement = 5s
log_timezone = 'UTC'
timezone = 'UTC'
END
}

# Over the network one role, into one database, over TLS. A person comes by Session Manager: root and postgres by
# the socket as the superuser, a tunnel (which ends on loopback) with a role's password.
client_authentication() {
  local cidr locals
  locals=$(IFS=,; echo "${LOCAL_ROLES[*]}")
  cat <<END
local   all       postgres  peer map=admin
local   $DATABASE $locals  scram-sha-256
hostssl $DATABASE $locals  127.0.0.1/32  scram-sha-256
hostssl $DATABASE $locals  ::1/128  scram-sha-256
END
  for cidr in $CLIENT_CIDRS; do
    echo "hostssl $DATABASE $NETWORK_ROLE  $cidr  scram-sha-256"
  done
}

# The files in the data directory; RESTART says whether one of them needs more than a reload.
configure() {
  local text
  install -d -o postgres -g postgres -m 0700 "$CLUSTER/conf.d"
  if ! grep -q "^include_dir = 'conf.d'" "$CLUSTER/postgresql.conf"; then
    echo "include_dir = 'conf.d'" >>"$CLUSTER/postgresql.conf"
  fi
  text=$(client_authentication)
  replace "$CLUSTER/pg_hba.conf" postgres:postgres 0600 "$text"
  replace "$CLUSTER/pg_ident.conf" postgres:postgres 0600 $'admin root postgres\nadmin postgres postgres'
  text=$(settings)
  replace "$CLUSTER/conf.d/clickstream.conf" postgres:postgres 0600 "$text"
  RESTART=$CHANGED
}

start_cluster() {
  local waited=0
  install -d -o postgres -g postgres -m 0755 "$SOCKETS"
  systemctl enable -q postgresql.service
  if ! systemctl is-active -q postgresql.service; then
    systemctl start postgresql.service || die "PostgreSQL does not start: journalctl -u postgresql"
  elif [[ $RESTART == yes ]]; then
    log "settings changed: restarting PostgreSQL"
    systemctl restart postgresql.service || die "PostgreSQL does not restart: journalctl -u postgresql"
  else
    systemctl reload postgresql.service
  fi
  until sql -d postgres -c 'SELECT' >/dev/null 2>&1; do
    ((waited++ < 60)) || die "PostgreSQL does not answer: journalctl -u postgresql"
    sleep 1
  done
}
