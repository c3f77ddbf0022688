# shellcheck shell=bash
# Debian packages: installed on this machine, or unpacked into a folder for images.
# Needs: die.

# Runs a command, and once more after `apt-get update` if it failed: the package
# lists of a fresh machine are empty, and those of an old one name files that are gone.
apt_retry() {
  "$@" || { apt-get -qq update && "$@"; }
}

# DIR TYPE SUITE: sets APT_FROM, the options for apt-get with lists and files of its own in DIR, of that
# suite of Debian on the machine's mirror; TYPE is deb or deb-src.
apt_from() {
  local mirror
  APT_FROM=(-o "Dir::Etc::sourcelist=$1/src.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::Lists=$1/lists" -o "Dir::Cache=$1/cache" -o APT::Sandbox::User=root)
  mkdir -p "$1/lists/partial" "$1/cache/archives/partial"
  # shellcheck disable=SC2016 # apt's placeholders, not the shell's
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
    awk '$2 == "bookworm" && $1 !~ /security/ {print $1; exit}')
  echo "$2 [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $3 main" > "$1/src.list"
  apt-get "${APT_FROM[@]}" -q update >&2
}

# Installs packages that are missing, without starting a service: a policy-rc.d
# that says no is in place meanwhile. One at a time.
apt_install() {
  exec 6> /run/lock/ktctl-test-apt.lock
  flock -w 600 6 || die "another run installs packages for ten minutes already"
  local p need=() policy=/usr/sbin/policy-rc.d rc=0 denied=0
  for p; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || need+=("$p")
  done
  if [ ${#need[@]} = 0 ]; then exec 6>&-; return 0; fi
  if [ -x "$policy" ]; then "$policy" containerd start >/dev/null 2>&1 || denied=$?; fi
  if [ "$denied" != 101 ]; then
    [ ! -e "$policy" ] || mv "$policy" "$policy.before-test-cluster"
    printf '#!/bin/sh\nexit 101\n' > "$policy"
    chmod 755 "$policy"
  fi
  DEBIAN_FRONTEND=noninteractive apt_retry \
    apt-get -qq -y install --no-install-recommends "${need[@]}" >&2 || rc=$?
  if [ "$denied" != 101 ]; then
    rm -f "$policy"
    [ ! -e "$policy.before-test-cluster" ] || mv "$policy.before-test-cluster" "$policy"
  fi
  exec 6>&-
  return $rc
}

# DIR PACKAGE...: unpacks packages and all that they depend on into DIR. apt is told
# that nothing is installed, so the result does not depend on this machine; no
# maintainer script runs, so nothing is started or changed outside DIR.
apt_unpack() {
  local dir=$1 debs deb
  shift
  debs=$(mktemp -d "$dir.debs.XXXXXX")
  mkdir -p "$debs/archives/partial" "$dir"/usr/{bin,sbin,lib,lib64}
  : > "$debs/status"
  apt_retry apt-get -qq -y -o "Dir::State::status=$debs/status" \
    -o "Dir::Cache::archives=$debs/archives" -o APT::Sandbox::User=root -o Debug::NoLocking=1 \
    install --download-only --no-install-recommends "$@" > "$debs/log" || { cat "$debs/log" >&2; die "could not fetch $*"; }
  for deb in bin sbin lib lib64; do ln -sfn "usr/$deb" "$dir/$deb"; done
  for deb in "$debs"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$dir"
  done
  rm -rf "$debs"
}
