#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# Builds the Kubernetes of KTCTL_TEST_KUBERNETES once into the cache; what it takes is told
# in the build.sh of its folder, kubernetes-1.20 or kubernetes-1.37.
#
#   build.sh         builds what is missing
#   build.sh clean   removes what a build that was broken off left of sources and compiler cache
#
# K8S_KEEP_SOURCES=1 leaves sources and compiler cache there for the next build.
# Output, in $K8S_BIN: hyperkube, pause, and the cluster's DNS.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}
# compilers collect garbage all the time otherwise: a third of their processor time
export GOGC=off GOMEMLIMIT=2GiB
umask 022
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf '%s\n' "$*" >&2; }
die() { say "build.sh: $*"; exit 1; }
# shellcheck source=version.sh
. "$HERE/version.sh"
# shellcheck source=apt.sh
. "$HERE/apt.sh"

# Says now and then how far `go build -v` is, which prints each package, and passes on all else.
progress() { # NAME TOTAL
  local count=0 next=$SECONDS line
  while IFS= read -r line; do
    if [[ $line == *[[:space:]]* ]]; then say "$line"; continue; fi
    count=$((count + 1))
    [ "$SECONDS" -ge "$next" ] || continue
    say "  compiling $1: $count of $2 packages"
    next=$((SECONDS + 10))
  done
}

# FILE...: what a build is made of, for its stamp.
key_of() { cat "$@" | sha256sum | cut -c1-16; }

# Sets STAMP, the file that says what is built; defines build and clean.
# shellcheck source=kubernetes-1.37/build.sh
. "$HERE/kubernetes-$KTCTL_TEST_KUBERNETES/build.sh"

if [ "${1:-}" = clean ]; then clean; exit 0; fi
[ -e "$STAMP" ] && exit 0
mkdir -p "$K8S_BIN"
exec 7> "$K8S_BIN.lock"
flock -w 2400 7 || die "another run builds for 40 minutes already"
[ -e "$STAMP" ] && exit 0 # another run has built it meanwhile
build
rm -f "$K8S_BIN"/.built-*
touch "$STAMP"
[ "${K8S_KEEP_SOURCES:-}" = 1 ] || clean
say "  built in $((SECONDS / 60)) min $((SECONDS % 60)) s; what stays: $(du -smL "$K8S_BIN" | cut -f1) MB in $K8S_BIN"
