# shellcheck shell=bash
# Debian packages: installed on this machine, or unpacked into a folder for images.
# Needs: die.

# Runs a command, and once more after `apt-get update` if it failed: the package
# lists of a fresh machine are empty, and those of an old one name files that are gone.
apt_retry() {
  "$@" || { apt-get -qq update && "$@"; }
}

# Installs packages that are missing, without starting a service: a policy-rc.d
# that says no is in place meanwhile.
apt_install() {
  local p need=() policy=/usr/sbin/policy-rc.d rc=0 denied=0
  for p; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null | grep -q '^ii' || need+=("$p")
  done
  [ ${#need[@]} = 0 ] && return 0
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
