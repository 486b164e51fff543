#!/bin/sh
# finish-root.sh ROOT APP: puts the app into the root file system, readable by any user, and what a run needs beside it.
set -eu
root=$1
app=$2
rm -rf "$root/srv/dashboard"
mkdir -p "$root/srv/dashboard" "$root/run/postgresql" "$root/tmp"
cp -R "$app/." "$root/srv/dashboard/"
find "$root/srv/dashboard" -type d -exec chmod 755 {} +
find "$root/srv/dashboard" -type f -exec chmod 644 {} +
for file in resolv.conf hostname machine-id; do
  rm -f "$root/etc/$file" 2>/dev/null || true # mounted by a container's builder
done
