# shellcheck shell=bash
# The database, its roles and their passwords. A password goes from SSM to psql through pipes alone: it stands in
# no command line, no environment and no log.

PASSWORDS_SET=$STATE/passwords

# Name and version of each password's parameter.
password_versions() {
  local role names=()
  for role in "${ROLES[@]}"; do names+=("$(parameter_of "$role")"); done
  aws ssm get-parameters --names "${names[@]}" --query 'sort_by(Parameters,&Name)[].[Name,Version]' --output text ||
    die "cannot read the versions of ${names[*]}"
}

make_roles() {
  local role password versions
  versions=$(password_versions) # before the values: one that changes meanwhile is taken up by the next look
  for role in "${ROLES[@]}"; do
    password=$(password_of "$role")
    sql -d postgres -v role="$role" -f "$LIB/sql/role.sql" <<<"$password"
  done
  replace "$PASSWORDS_SET" root:root 0644 "$versions"
}

make_database() {
  sql -d postgres -v database="$DATABASE" -v owner="$OWNER" -v network_role="$NETWORK_ROLE" \
    -f "$LIB/sql/database.sql"
  sql -d "$DATABASE" -v database="$DATABASE" -f "$LIB/sql/$ROLE_SET.sql"
}

# What the dashboard's service connects with, readable by root alone: systemd passes it to that one process.
write_dashboard_environment() {
  local password lines
  password=$(password_of dashboard_reader)
  # shellcheck disable=SC2001 # an ampersand in a bash replacement means other things in other versions
  password=$(sed 's/[\\"$`]/\\&/g' <<<"$password")
  lines=(
    "PGHOST=\"$SOCKETS\""
    "PGPORT=\"$PORT\""
    "PGDATABASE=\"$DATABASE\""
    'PGUSER="dashboard_reader"'
    "PGPASSWORD=\"$password\""
    "DASHBOARD_PORT=\"$DASHBOARD_PORT\""
  )
  replace "$ROOT/etc/clickstream/dashboard.env" root:root 0600 "$(IFS=$'\n' && echo "${lines[*]}")"
  if [[ $CHANGED == yes ]]; then systemctl try-restart clickstream-dashboard.service; fi
}
