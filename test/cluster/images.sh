# shellcheck shell=bash
# The images of the test cluster, made without a registry and without docker: programs
# from Debian packages and the Deno of this machine, with the libraries that they load.
# All go into one archive in the cache ($IMAGES), under the names that pods ask for; but the
# cluster's DNS, which each version of Kubernetes has its own of ($DNS_IMAGE).
# Needs: HERE, K8S_HOME, K8S_BIN, K8S_DNS, apt_unpack, die.

demo_files() { (cd "$HERE/demo" && find . -name '*.ts' | sort); }

# Sets IMAGES and DNS_IMAGE to the archives' paths. What the images are made of is in their names.
images_path() {
  local key
  DENO=$(deno eval 'console.log(Deno.execPath())') || die "no deno on PATH"
  DENO_VERSION=$("$DENO" --version | sed -n '1s/^deno \([^ ]*\).*/\1/p')
  key=$({
    cat "$HERE/images.sh" "$HERE/apt.sh" "$HERE/pause.c"
    (cd "$HERE/demo" && demo_files | xargs cat)
    echo "$DENO_VERSION"
  } | sha256sum | cut -c1-16)
  IMAGES=$K8S_HOME/images/$key.tar
  key=$({ cat "$HERE/images.sh"; cd "$K8S_BIN"; echo .built-*; } | sha256sum | cut -c1-16)
  DNS_IMAGE=$K8S_HOME/images/dns-$key.tar
}

# ROOT: an empty root file system in Debian's shape, with the users that images use.
empty_root() {
  mkdir -p "$1"/{etc,tmp,root,proc,sys,dev,var/tmp,usr/{bin,sbin,lib,lib64,local/{bin,sbin,etc}}}
  chmod 1777 "$1/tmp" "$1/var/tmp"
  local d
  for d in bin sbin lib lib64; do ln -sfn "usr/$d" "$1/$d"; done
  printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'haproxy:x:99:99::/var/lib/haproxy:/usr/sbin/nologin' \
    'deno:x:1000:1000::/home/deno:/bin/sh' 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' > "$1/etc/passwd"
  printf '%s\n' 'root:x:0:' 'haproxy:x:99:' 'deno:x:1000:' 'nogroup:x:65534:' > "$1/etc/group"
  echo 'hosts: files dns' > "$1/etc/nsswitch.conf"
  printf '%s\n' 'http 80/tcp' 'https 443/tcp' > "$1/etc/services" # wrk asks for the port of "http"
}

# DEBIAN ROOT PROGRAM...: copies programs (paths in DEBIAN) with the libraries they load.
# DEBIAN's own loader says which, so that no library of this machine gets in.
copy_programs() {
  local debian=$1 root=$2 program file libraries
  shift 2
  for program; do
    # a static program has none, and the loader says so with an error
    libraries=$(chroot "$debian" /lib64/ld-linux-x86-64.so.2 --list "$program" 2>/dev/null |
      grep -o '/[^ ]*') || true
    case $libraries in *'not found'*) die "$program lacks a library" ;; esac
    for file in "$program" $libraries; do
      [ -e "$root$file" ] || { mkdir -p "$root$(dirname "$file")" && cp -L "$debian$file" "$root$file"; }
    done
  done
}

# ARCHIVE_DIR LAYER ROOT: packs ROOT as a layer; prints nothing.
layer() {
  tar -C "$3" --sort=name --numeric-owner --mtime=@0 -cf "$1/$2.tar" .
}

# ARCHIVE_DIR NAME CONFIG LAYER...: adds an image made of layers to the archive.
image() {
  local dir=$1 name=$2 config=$3 diffs='' history='' layers='' layer file
  shift 3
  for layer; do
    diffs+=",\"sha256:$(sha256sum "$dir/$layer.tar" | cut -d' ' -f1)\""
    history+=',{"created":"1970-01-01T00:00:00Z"}'
    layers+=",\"$layer.tar\""
  done
  file=$(printf '{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]},"history":[%s]}' \
    "$config" "${diffs#,}" "${history#,}" | tee "$dir/config" | sha256sum | cut -d' ' -f1).json
  mv "$dir/config" "$dir/$file"
  printf '{"Config":"%s","RepoTags":["%s"],"Layers":[%s]}\n' "$file" "$name" "${layers#,}" >> "$dir/images"
}

# ARCHIVE_DIR FILE: makes the archive of all images that were added; FILE is whole or not there.
pack() {
  { echo '['; paste -sd, "$1/images"; echo ']'; } > "$1/manifest.json"
  rm "$1/images"
  (cd "$1" && tar --sort=name -cf "$1.tar" -- *)
  mv "$1.tar" "$2"
}

# Makes the archives that the cache does not have.
make_images() {
  local work
  images_path
  mkdir -p "$K8S_HOME/images"
  if [ -e "$IMAGES" ] && [ -e "$DNS_IMAGE" ]; then touch "$IMAGES" "$DNS_IMAGE"; return 0; fi
  find "$K8S_HOME/images" -mindepth 1 -maxdepth 1 \( -mtime +6 -o -name 'work.*' \) -exec rm -rf {} +
  work=$(mktemp -d "$K8S_HOME/images/work.XXXXXX")
  [ -e "$DNS_IMAGE" ] || make_dns_image "$work/dns"
  if ! [ -e "$IMAGES" ]; then
    say "Making images of Debian's packages, once; about a minute"
    make_common_images "$work"
  fi
  rm -rf "$work"
}

make_dns_image() { # WORK
  local out=$1/archive root=$1/root
  mkdir -p "$out" "$root"
  install -m 755 "$K8S_BIN/$K8S_DNS" "$root/$K8S_DNS"
  layer "$out" dns "$root"
  image "$out" "localhost/$K8S_DNS:1" "{\"Entrypoint\":[\"/$K8S_DNS\"]}" dns
  pack "$out" "$DNS_IMAGE"
}

make_common_images() { # WORK
  local work=$1 out debian root applet
  out=$work/archive debian=$work/debian
  mkdir -p "$out" "$debian"
  apt_unpack "$debian" libc6 libgcc-s1 dash coreutils busybox curl netcat-openbsd nghttp2-client wrk iperf3 haproxy nginx-light
  cp "$DENO" "$debian/usr/bin/deno"
  chmod 755 "$debian/usr/bin/deno"

  root=$work/pause; mkdir "$root"
  install -m 755 "$K8S_BIN/pause" "$root/pause"
  layer "$out" pause "$root"
  image "$out" localhost/pause:1 '{"Entrypoint":["/pause"]}' pause

  # The dynamic busybox, so that it shares its libraries with the client's programs.
  # NB: bookworm's busybox crashes on `wget -T`.
  root=$work/busybox
  empty_root "$root"
  copy_programs "$debian" "$root" /bin/busybox
  chroot "$root" /bin/busybox --list | while read -r applet; do
    [ -e "$root/bin/$applet" ] || ln -s busybox "$root/bin/$applet"
  done
  layer "$out" busybox "$root"
  image "$out" localhost/busybox:1 '{"Cmd":["sh"],"Env":["PATH=/usr/sbin:/usr/bin"]}' busybox

  # For requests from inside the cluster. Its /bin/nc is OpenBSD's: busybox's has no -N.
  root=$work/client
  empty_root "$root"
  copy_programs "$debian" "$root" /usr/bin/{curl,nghttp,h2load,wrk,iperf3} /bin/nc.openbsd
  ln -s nc.openbsd "$root/bin/nc"
  layer "$out" client "$root"
  image "$out" localhost/client:1 '{"Cmd":["sleep","2147483647"],"Env":["PATH=/usr/sbin:/usr/bin"]}' busybox client

  # As the stock images do, both have a shell; the entry point of the stock Deno image
  # (tini and a script) comes to the same as deno itself.
  root=$work/deno
  empty_root "$root"
  copy_programs "$debian" "$root" /bin/dash /usr/bin/deno
  ln -s dash "$root/bin/sh"
  mkdir -m 1777 "$root/deno-dir"
  mkdir -p "$root/home/deno"
  chown 1000:1000 "$root/home/deno" "$root/deno-dir"
  layer "$out" deno "$root"
  image "$out" "docker.io/denoland/deno:$DENO_VERSION" \
    "{\"Entrypoint\":[\"/usr/bin/deno\"],\"Cmd\":[\"eval\",\"console.log('Welcome to Deno!')\"],\"Env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"DENO_VERSION=$DENO_VERSION\",\"DENO_DIR=/deno-dir/\",\"DENO_INSTALL_ROOT=/usr/local\"]}" deno

  root=$work/haproxy
  empty_root "$root"
  copy_programs "$debian" "$root" /bin/dash /bin/sleep /usr/sbin/haproxy
  ln -s dash "$root/bin/sh"
  mv "$root/usr/sbin/haproxy" "$root/usr/local/sbin/haproxy"
  mkdir -p "$root/usr/local/etc/haproxy" "$root/var/lib/haproxy"
  chown 99:99 "$root/var/lib/haproxy"
  layer "$out" haproxy "$root"
  image "$out" docker.io/library/haproxy:2.6 \
    '{"User":"haproxy","StopSignal":"SIGUSR1","Cmd":["haproxy","-f","/usr/local/etc/haproxy/haproxy.cfg"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]}' haproxy

  # The peer of benchmarks.
  root=$work/nginx
  empty_root "$root"
  copy_programs "$debian" "$root" /usr/sbin/nginx
  mkdir -p "$root/var/log/nginx" "$root/var/lib/nginx"
  layer "$out" nginx "$root"
  image "$out" localhost/nginx:1 '{"Entrypoint":["/usr/sbin/nginx"],"Env":["PATH=/usr/sbin:/usr/bin"]}' nginx

  root=$work/demo
  mkdir "$root"
  "$DENO" bundle --quiet --no-config --output "$root/demo.js" "$HERE/demo/demo.ts"
  layer "$out" demo "$root"
  image "$out" docker.io/library/ktctl-demo:1 \
    '{"User":"1000","Entrypoint":["/usr/bin/deno","run","-A","/demo.js","--host","0.0.0.0","--grpc-port","50051"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","DENO_DIR=/tmp/deno","NO_COLOR=1"]}' deno demo

  pack "$out" "$IMAGES"
}
