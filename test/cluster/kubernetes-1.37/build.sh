# shellcheck shell=bash
# Kubernetes 1.37.2 and CoreDNS, as ordinary Go programs: go.mod requires k8s.io/kubernetes, and replaces its
# parts by their published versions (those of v1.N.P are v0.N.P). Another version: change all of these
# numbers in go.mod, then `go list -mod=mod -deps . ./kubectl ./coredns`.
#
# It takes 10 to 15 minutes from nothing on two processors, 230 MB of downloads, and 4.5 GB for modules and
# compiler cache, which go with the end of it. Read by build.sh.

OWN=$HERE/kubernetes-1.37
SOURCES=$K8S_HOME/sources-1.37
RECIPE=2 # count up when a change in this file changes the binaries
VERSION=$(sed -n 's#^\tk8s.io/kubernetes \(v[^ ]*\)$#\1#p' "$OWN/go.mod")
STAMP=$K8S_BIN/.built-$VERSION-$RECIPE-$(key_of "$OWN"/{go.mod,go.sum,hyperkube.go,kubectl/main.go,coredns/main.go} "$HERE/pause.c")

clean() { rm -rf "$SOURCES"; }

go_is() { # GO VERSION: whether it is as new
  local found
  found=$(GOTOOLCHAIN=local GOFLAGS='' "$1" env GOVERSION 2>/dev/null) || return 1
  printf '%s\n' "go$2" "$found" | sort -VC
}

# Sets GO and GOTOOLCHAIN: a Go that is new enough, or one that gets such a one as a module (from 1.21 on).
find_go() {
  local wanted candidate
  local -a candidates
  wanted=$(sed -n 's/^go //p' "$OWN/go.mod")
  candidates=(go /usr/local/go/bin/go /usr/lib/go-*/bin/go "$SOURCES"/go/usr/lib/go-*/bin/go)
  for candidate in "${candidates[@]}"; do
    if go_is "$candidate" "$wanted"; then GO=$candidate GOTOOLCHAIN=local; return; fi
  done
  for candidate in "${candidates[@]}"; do
    if go_is "$candidate" 1.21; then GO=$candidate GOTOOLCHAIN=go$wanted; return; fi
  done
  return 1
}

# Debian's Go of bookworm-backports, unpacked: nothing is installed.
fetch_go() {
  mkdir -p "$SOURCES/go"
  say "  fetching Debian's Go"
  apt_from "$SOURCES/apt" deb bookworm-backports
  (cd "$SOURCES/apt" && apt-get "${APT_FROM[@]}" -q download golang-1.23-go golang-1.23-src) >&2
  local deb
  for deb in "$SOURCES"/apt/golang-*.deb; do dpkg-deb -x "$deb" "$SOURCES/go"; done
}

compile() { # NAME PACKAGE [LDFLAGS]: one program, put in place when it is whole
  local count
  count=$("$GO" list -deps "$2" | wc -l)
  # nobody debugs them: a sixth of the time
  "$GO" build -v -gcflags=all=-dwarf=false -ldflags "-s -w ${3:-}" -o "$K8S_BIN/$1.new" "$2" 2>&1 | progress "$1" "$count"
  mv "$K8S_BIN/$1.new" "$K8S_BIN/$1"
}

build() {
  local package flags=''
  say "Building Kubernetes $VERSION, once; 10 to 15 minutes on two processors"
  apt_install gcc libc6-dev ca-certificates
  mkdir -p "$SOURCES"
  find_go || { fetch_go && find_go; } || die "no Go, and none to be had"
  export GOTOOLCHAIN CGO_ENABLED=0 GOFLAGS='-mod=readonly -modcacherw -buildvcs=false -trimpath'
  export GOMODCACHE=$SOURCES/modules GOCACHE=$SOURCES/compiled
  cd "$OWN"
  say "  fetching its modules with $("$GO" version)"
  "$GO" list -deps . ./kubectl ./coredns >/dev/null
  for package in k8s.io/{component-base/version,client-go/pkg/version}; do
    flags+=" -X $package.gitVersion=$VERSION -X $package.gitMajor=1 -X $package.gitMinor=$K8S_MINOR"
    flags+=" -X $package.gitTreeState=clean"
  done
  compile hyperkube . "$flags"
  compile kubectl ./kubectl "$flags"
  compile coredns ./coredns
  gcc -Os -static -s -o "$K8S_BIN/pause" "$HERE/pause.c"
}
