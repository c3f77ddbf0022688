# shellcheck shell=bash
# Kubernetes 1.20.2, from Debian bookworm's source package "kubernetes" with bookworm's own Go 1.19:
# bookworm is the newest suite whose source package still holds the servers. It takes 4 to 10 minutes
# from nothing on two processors, and 1.6 GB for sources and compiler cache, which go with the end of
# it. Read by build.sh.

RECIPE=2 # count up when a change in this file changes the binaries
VERSION=v1.20.2
SRC=$K8S_HOME/gopath/src/k8s.io/kubernetes
OWN=$HERE/kubernetes-1.20
STAMP=$K8S_BIN/.built-$VERSION-$RECIPE-$(key_of "$OWN"/{hyperkube.go,minidns.go} "$HERE/pause.c")

clean() {
  chmod -R u+w "$K8S_HOME/gopath" 2>/dev/null || true
  rm -rf "$K8S_HOME/src" "$K8S_HOME/gopath" "$K8S_HOME/gocache" "$K8S_HOME/apt"
}

# The source package.
fetch() {
  apt_from "$K8S_HOME/apt" deb-src bookworm
  (cd "$K8S_HOME/src" && apt-get "${APT_FROM[@]}" -q source --download-only kubernetes)
}

# Unpacked and patched source, with what it lacks.
prepare() {
  local name reflect2=/usr/share/gocode/src/github.com/modern-go/reflect2 dirs
  rm -rf "$SRC" "$K8S_HOME/src/deb"
  mkdir -p "$SRC" "$K8S_HOME/src/deb"
  tar -xf "$K8S_HOME"/src/kubernetes_1.20.5*.orig.tar.gz -C "$SRC" --strip-components=1
  tar -xf "$K8S_HOME"/src/kubernetes_1.20.5*.debian.tar.xz -C "$K8S_HOME/src/deb"
  cd "$SRC"
  while read -r name; do
    [ -z "$name" ] || patch -p1 -s < "$K8S_HOME/src/deb/debian/patches/$name"
  done < "$K8S_HOME/src/deb/debian/patches/series"
  # vendored reflect2 1.0.1 iterates maps through a runtime call whose signature changed in Go 1.18
  rm -f vendor/github.com/modern-go/reflect2/*.{go,s}
  cp "$reflect2"/*.go "$reflect2"/*.s vendor/github.com/modern-go/reflect2/
  # the kubelet looks only every 10 s whether a deleted pod is gone; tests wait for that often
  sed -i 's/^const syncPeriod = 10 \* time.Second$/const syncPeriod = 1 * time.Second/' pkg/kubelet/status/status_manager.go
  grep -q '^const syncPeriod = 1 ' pkg/kubelet/status/status_manager.go || die "the kubelet's source is another"
  # the one generated file that the source does not carry
  go build -o "$K8S_HOME/src/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  dirs=$(find -L cmd pkg plugin vendor/k8s.io \( -name testdata -o -name _output \) -prune -o -type f -name '*.go' -print |
    grep -v -E '^vendor/k8s.io/(code-generator|sample-apiserver)/' |
    xargs grep -l '^// *+k8s:openapi-gen=' | xargs -n1 dirname | sort -u |
    sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
  "$K8S_HOME/src/openapi-gen" --logtostderr -i "$dirs" -p k8s.io/kubernetes/pkg/generated/openapi \
    -O zz_generated.openapi -h hack/boilerplate/boilerplate.generatego.txt -r "$K8S_HOME/src/violations.report"
  touch "$SRC/.prepared-$RECIPE"
}

compile() { # NAME GOFILE: one program, put in place when it is whole
  local flags='-s -w' package count
  for package in k8s.io/kubernetes/vendor/k8s.io/{component-base/version,client-go/pkg/version}; do
    flags+=" -X $package.gitVersion=$VERSION -X $package.gitMajor=1 -X $package.gitMinor=20"
    flags+=" -X $package.gitTreeState=clean -X $package.buildDate=2021-01-13T13:20:00Z"
    flags+=" -X $package.gitCommit=faecb196815e248d3ecfb03c680a4507229c2a56"
  done
  mkdir -p "$SRC/cmd/$1"
  cp "$2" "$SRC/cmd/$1/main.go"
  count=$(cd "$SRC" && go list -deps -tags 'providerless dockerless' "./cmd/$1" | wc -l)
  (cd "$SRC" && go build -v -trimpath -gcflags=all=-dwarf=false -tags 'providerless dockerless' -ldflags "$flags" -o "$K8S_BIN/$1.new" "./cmd/$1" 2>&1) |
    progress "$1" "$count"
  mv "$K8S_BIN/$1.new" "$K8S_BIN/$1"
}

build() {
  say "Building Kubernetes $VERSION, once; 4 to 10 minutes on two processors"
  say "  installing Debian's compilers"
  apt_install golang-1.19-go golang-github-modern-go-reflect2-dev gcc libc6-dev patch xz-utils \
    ca-certificates debian-archive-keyring
  export GOROOT=/usr/lib/go-1.19
  export PATH=$GOROOT/bin:$PATH
  # GOPATH mode, as 1.20's own Makefile does: module mode says "updates to go.mod needed"
  # with Go 1.19. vendor/ is used all the same, and nothing is fetched.
  export GO111MODULE=off GOFLAGS='' GOPROXY=off CGO_ENABLED=0
  export GOPATH=$K8S_HOME/gopath GOCACHE=$K8S_HOME/gocache
  mkdir -p "$K8S_HOME/src"
  if ! compgen -G "$K8S_HOME/src/kubernetes_1.20.5*.orig.tar.gz" >/dev/null; then
    say "  fetching the source package"
    fetch >&2
  fi
  if ! [ -e "$SRC/.prepared-$RECIPE" ]; then
    say "  unpacking and preparing the sources"
    prepare
  fi
  compile hyperkube "$OWN/hyperkube.go"
  compile kube-dns-mini "$OWN/minidns.go"
  gcc -Os -static -s -o "$K8S_BIN/pause" "$HERE/pause.c"
}
