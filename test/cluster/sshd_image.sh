# shellcheck shell=bash
# localhost/sshd:1, where the peers of `connect` end: Debian's sshd, and python3 for the far half of sshuttle.
# Made when a bench asks for it, as Debian's packages of it take longer than those of all tests.
# Needs: what images.sh needs, and images.sh.

# Sets SSHD_IMAGE to the archive's path; makes it if the cache has none.
make_sshd_image() {
  local key work out debian root
  key=$(cat "$HERE/sshd_image.sh" "$HERE/images.sh" "$HERE/apt.sh" | sha256sum | cut -c1-16)
  SSHD_IMAGE=$K8S_HOME/images/sshd-$key.tar
  if [ -e "$SSHD_IMAGE" ]; then touch "$SSHD_IMAGE"; return 0; fi
  mkdir -p "$K8S_HOME/images"
  work=$(mktemp -d "$K8S_HOME/images/work.XXXXXX")
  out=$work/archive debian=$work/debian root=$work/sshd
  mkdir -p "$out" "$debian"
  apt_unpack "$debian" libc6 libgcc-s1 dash openssh-server python3-minimal libpython3.11-stdlib

  empty_root "$root"
  copy_programs "$debian" "$root" /bin/dash /usr/sbin/sshd /usr/bin/python3.11
  ln -s dash "$root/bin/sh"
  ln -s python3.11 "$root/usr/bin/python3"
  cp -r "$debian/usr/lib/python3.11" "$root/usr/lib/"
  # what sshd becomes before a login, and where it is then
  echo 'sshd:x:100:65534::/run/sshd:/usr/sbin/nologin' >> "$root/etc/passwd"
  mkdir -p "$root/run/sshd"
  layer "$out" sshd "$root"
  image "$out" localhost/sshd:1 '{"Entrypoint":["/usr/sbin/sshd"],"Env":["PATH=/usr/sbin:/usr/bin"]}' sshd

  pack "$out" "$SSHD_IMAGE"
  rm -rf "$work"
}
