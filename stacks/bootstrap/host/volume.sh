# shellcheck shell=bash
# The data volume: found, formatted only when it is blank, mounted by UUID, grown to its size.

# On Nitro a volume shows up as /dev/nvme?n1; udev links the name it was attached as, or its vendor data tells it.
find_device() {
  local node name
  if [[ -e $ROOT$DATA_DEVICE ]]; then
    readlink -f "$ROOT$DATA_DEVICE"
    return
  fi
  for node in "$ROOT"/dev/nvme*n1; do
    [[ -e $node ]] || continue
    name=$(ebsnvme-id --block-dev "$node" 2>/dev/null) || continue
    if [[ /dev/${name#/dev/} == "$DATA_DEVICE" ]]; then
      printf '%s\n' "$node"
      return
    fi
  done
  return 1
}

wait_for_device() {
  local limit=${DEVICE_TIMEOUT:-600} waited=0
  until find_device; do
    ((waited < limit)) || die "no $DATA_DEVICE after $limit s: is the data volume attached to this instance?"
    ((waited % 30)) || log "waiting for $DATA_DEVICE to be attached"
    sleep 2
    ((waited += 2))
  done
}

# Whether the first MiB can be read and holds nothing but zeros.
is_blank() {
  local other
  other=$(head -c 1048576 "$1" | tr -d '\0' | wc -c) && ((other == 0))
}

# The type of the file system on a device; empty when the device is blank. Anything else there stops the boot.
filesystem_of() {
  local type status=0
  type=$(blkid -p -s TYPE -o value "$1") || status=$?
  case $status in
    0) [[ -n $type ]] || die "$1 holds a partition table and no file system: not touched" ;;
    2) is_blank "$1" || die "$1 holds data that is no known file system: not touched" ;;
    *) die "cannot tell what $1 holds (blkid status $status): not touched" ;;
  esac
  printf '%s\n' "$type"
}

mount_volume() {
  local device type uuid
  if ! mountpoint -q "$VOLUME"; then
    device=$(wait_for_device)
    type=$(filesystem_of "$device")
    if [[ -z $type ]]; then
      log "$device is blank: making an XFS file system"
      mkfs.xfs -q "$device"
      type=$(filesystem_of "$device")
    fi
    uuid=$(blkid -p -s UUID -o value "$device")
    mkdir -p "$VOLUME"
    remember_mount "UUID=$uuid $VOLUME $type defaults,noatime,nofail,x-systemd.device-timeout=120 0 0"
    mount "$VOLUME"
    log "mounted $device ($type, $uuid) at $VOLUME"
  fi
  if [[ $(findmnt -n -o FSTYPE "$VOLUME") == xfs ]]; then xfs_growfs "$VOLUME" >/dev/null; fi
}

# nofail: without the volume the host still boots, so that a person can get in; PostgreSQL waits for the mount.
remember_mount() {
  local others
  touch "$ROOT/etc/fstab"
  others=$(awk -v at="$VOLUME" '$2 != at' "$ROOT/etc/fstab")
  replace "$ROOT/etc/fstab" root:root 0644 "$others"$'\n'"$1"
  if [[ $CHANGED == yes ]]; then systemctl daemon-reload; fi
}

# Before anything is written there: a full volume is a sentence, not a broken cluster.
check_space() {
  local free needed=256
  [[ ! -s $CLUSTER/PG_VERSION ]] || needed=64
  free=$(df --output=avail -B1M "$VOLUME" | tail -n 1)
  ((free >= needed)) || die "the data volume is full: ${free// /} MB free on $VOLUME, $needed needed." \
    "Nothing was changed. Make the volume larger, then start clickstream-setup again (runbook: disk full)"
}
