# shellcheck shell=bash
# An authority of the host's own, kept on the data volume so that it outlives the instance, and the server
# certificate it signs. Clients trust the authority, so a renewed server certificate is no change for them.

AUTHORITY=$VOLUME/tls
DAY=86400

make_key() { (umask 077 && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null); }

usable_for() { openssl x509 -in "$1" -noout -checkend $(($2 * DAY)) >/dev/null 2>&1; } # FILE DAYS

make_authority() {
  install -d -o root -g root -m 0700 "$AUTHORITY"
  if [[ -s $AUTHORITY/ca.key ]] && usable_for "$AUTHORITY/ca.crt" 420; then return; fi
  make_key "$AUTHORITY/ca.key"
  openssl req -x509 -new -key "$AUTHORITY/ca.key" -days 3650 -out "$AUTHORITY/ca.crt" \
    -config <(printf '[req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=%s on %s\n' "$DATABASE" "$ADDRESS") \
    -addext basicConstraints=critical,CA:TRUE,pathlen:0 -addext keyUsage=critical,keyCertSign \
    -addext subjectKeyIdentifier=hash
  log "made a certificate authority"
}

server_certificate_is_good() {
  local certificate=$CLUSTER/server.crt
  [[ -s $CLUSTER/server.key ]] && usable_for "$certificate" 30 &&
    openssl verify -CAfile "$AUTHORITY/ca.crt" "$certificate" >/dev/null 2>&1 &&
    [[ $(openssl x509 -in "$certificate" -noout -checkip "$ADDRESS") == *"does match"* ]]
}

make_server_certificate() {
  if server_certificate_is_good; then return; fi
  local new=$CLUSTER/server.new
  make_key "$new.key"
  openssl req -new -key "$new.key" -subj "/CN=$DATABASE" \
    -config <(printf '[req]\ndistinguished_name=dn\n[dn]\n') |
    openssl x509 -req -CA "$AUTHORITY/ca.crt" -CAkey "$AUTHORITY/ca.key" -days 397 -out "$new.crt" \
      -set_serial "0x$(openssl rand -hex 16)" -extfile <(
        printf 'subjectAltName=IP:%s,IP:127.0.0.1,DNS:localhost\n' "$ADDRESS"
        printf 'basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n'
        printf 'authorityKeyIdentifier=keyid\n'
      ) 2>/dev/null
  chown postgres:postgres "$new.key" "$new.crt"
  mv -f "$new.key" "$CLUSTER/server.key"
  mv -f "$new.crt" "$CLUSTER/server.crt"
  log "made a server certificate for $ADDRESS, good for 397 days"
}

publish_certificate() {
  local name=$PARAMETER_PREFIX/certificate published
  published=$(aws ssm get-parameter --name "$name" --query Parameter.Value --output text 2>/dev/null) || published=
  if [[ $published == "$(<"$AUTHORITY/ca.crt")" ]]; then return; fi
  aws ssm put-parameter --name "$name" --type String --overwrite --value "file://$AUTHORITY/ca.crt" >/dev/null ||
    die "cannot write the parameter $name"
  log "published the certificate authority as $name"
}
