#!/bin/bash
# Builds the dashboard's runtime for a host that can install nothing: a minimal Debian root with R, the packages of
# packages.txt and the app in /srv/dashboard, as dist/dashboard-runtime.tar.zst, with its SHA-256 and its packages.
# `--help` says what it takes.
set -euo pipefail

SUITE=trixie
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
DIST=${BUNDLE_DIST:-$HERE/dist}
NAME=dashboard-runtime
# left out: what only a person at the machine would read
SKIP=('/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' '/usr/share/lintian/*'
  '/usr/share/icons/*' '/usr/share/X11/*' '/usr/lib/R/library/*/help/*' '/usr/lib/R/library/*/html/*'
  '/usr/lib/R/library/*/doc/*' '/usr/lib/R/site-library/*/help/*' '/usr/lib/R/site-library/*/html/*'
  '/usr/lib/R/site-library/*/doc/*' '/usr/lib/R/library/translations/*')

fail() {
  echo "dashboard:bundle: $*" >&2
  exit 1
}

# The same app and the same packages give the same bytes: no time of its own goes in.
epoch() { git -C "$HERE" log -1 --format=%ct -- . 2>/dev/null || true; }

# Debian's suites lie side by side on a mirror, so this machine's own sources say where to find SUITE, whatever suite it runs.
mirrors() {
  if [[ -n ${DEBIAN_MIRROR:-} ]]; then
    echo "deb $DEBIAN_MIRROR $SUITE main"
    return
  fi
  local own found
  # shellcheck source=/dev/null
  own=$(. /etc/os-release && [[ $ID == debian ]] && echo "$VERSION_CODENAME") ||
    fail "this machine's apt sources are not Debian's: set DEBIAN_MIRROR to a mirror that has $SUITE"
  found=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI) $(COMPONENT)' 'Created-By: Packages' |
    awk -v own="$own" -v suite="$SUITE" '$3 == "main" && ($1 == own || $1 == own "-security") {
      sub(own, suite, $1); print "deb " $2 " " $1 " main" }' | sort -u)
  [[ -n $found ]] || fail "no apt source of Debian $own: set DEBIAN_MIRROR"
  echo "$found"
}

with_mmdebstrap() {
  local options=(--variant=essential --quiet "--include=$(paste -sd, "$HERE/packages.txt")")
  local path file sources
  for path in "${SKIP[@]}"; do options+=("--dpkgopt=path-exclude=$path"); done
  for file in /etc/apt/apt.conf.d/*proxy*; do if [[ -f $file ]]; then options+=("--aptopt=$file"); fi; done
  sources=$(mirrors)
  options+=(
    "--customize-hook=$HERE/finish-root.sh \"\$1\" '$HERE/app'"
    "--customize-hook=chroot \"\$1\" dpkg-query -W -f '\${Package} \${Version}\n' >'$DIST/$NAME.packages.txt'"
    '--customize-hook=rm -rf "$1"/var/cache/* "$1"/var/log/* "$1"/var/lib/apt/*'
  )
  mmdebstrap "${options[@]}" "$SUITE" "$DIST/$NAME.tar" - <<<"$sources"
}

with_docker() {
  local container
  docker build --quiet --tag "$NAME" --file "$HERE/Dockerfile" "$HERE" >/dev/null
  container=$(docker create "$NAME")
  docker export --output "$DIST/$NAME.tar" "$container"
  docker rm "$container" >/dev/null
  docker run --rm "$NAME" dpkg-query -W -f '${Package} ${Version}\n' >"$DIST/$NAME.packages.txt"
}

main() {
  local way=${BUNDLE_WITH:-}
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(epoch)}
  SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-0}
  export SOURCE_DATE_EPOCH
  command -v zstd >/dev/null || fail "zstd is not installed: apt-get install zstd"
  if [[ -z $way ]]; then
    if command -v mmdebstrap >/dev/null; then way=mmdebstrap
    elif command -v docker >/dev/null; then way=docker
    else fail "neither mmdebstrap nor docker is here: apt-get install mmdebstrap"; fi
  fi
  (cd "$HERE/.." && npm run --silent dashboard:assets) || fail "the page's script was not built: run npm ci"
  mkdir -p "$DIST"
  case $way in
    mmdebstrap) with_mmdebstrap ;;
    docker) with_docker ;;
    *) fail "BUNDLE_WITH is $way: it can be mmdebstrap or docker" ;;
  esac
  zstd --quiet --force --rm -15 -T0 "$DIST/$NAME.tar" -o "$DIST/$NAME.tar.zst.new"
  mv -f "$DIST/$NAME.tar.zst.new" "$DIST/$NAME.tar.zst"
  (cd "$DIST" && sha256sum "$NAME.tar.zst" >"$NAME.tar.zst.sha256")
  echo "$DIST/$NAME.tar.zst: $(du -m "$DIST/$NAME.tar.zst" | cut -f 1) MB, $(wc -l <"$DIST/$NAME.packages.txt") packages"
}

case ${1:-} in
  "") main ;;
  -h | --help)
    cat <<'HELP'
Usage: npm run dashboard:bundle

Builds dashboard/dist/dashboard-runtime.tar.zst: a minimal Debian with R, its packages and the dashboard, for a host that
can install nothing. Takes minutes, and needs zstd and mmdebstrap or Docker.

  DEBIAN_MIRROR  where Debian's packages come from (default: the mirrors of this machine's apt sources, when it is Debian)
  BUNDLE_WITH    mmdebstrap (default where it is installed) or docker
  BUNDLE_DIST    the folder to write to (default: dashboard/dist)
HELP
    ;;
  *) echo "dashboard:bundle: it does not know \"$1\": npm run dashboard:bundle -- --help says what it knows" >&2 && exit 2 ;;
esac
