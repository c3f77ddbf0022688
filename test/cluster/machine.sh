# shellcheck shell=bash
# What a kubelet and containerd change on the whole machine, whatever namespace they run
# in: some sysctls and some folders. The first cluster of the machine notes how it was,
# the last one puts it back. Needs: K8S_NS, K8S_DIR, die.

MACHINE=/run/ktctl-test-cluster # clusters/NAME holds the state folder of each cluster
MACHINE_SYSCTLS=(kernel.panic kernel.panic_on_oops vm.overcommit_memory vm.panic_on_oom
  kernel.keys.root_maxkeys kernel.keys.root_maxbytes)
MACHINE_FOLDERS=(/var/log/pods /var/log/containers /var/lib/kubelet /var/lib/cni /run/containerd)

# Of this cluster alone: while one waits for something, no other has to.
cluster_lock() { exec 9> "/run/lock/$K8S_NS.lock"; flock -w 600 9 || die "another run holds this cluster for ten minutes already"; }

machine_lock() { exec 5> /run/lock/ktctl-test-cluster.lock; flock -w 600 5 || die "another run sets up this machine for ten minutes already"; }
machine_unlock() { exec 5>&-; }

machine_note() {
  local name folder
  machine_lock
  if ! [ -e "$MACHINE/noted" ]; then
    mkdir -p "$MACHINE/clusters"
    for name in "${MACHINE_SYSCTLS[@]}"; do echo "$name=$(sysctl -n "$name")"; done > "$MACHINE/sysctl"
    for folder in "${MACHINE_FOLDERS[@]}"; do [ -e "$folder" ] || echo "$folder"; done > "$MACHINE/new-folders"
    touch "$MACHINE/noted"
  fi
  if [ -e "$MACHINE/clusters/$K8S_NS" ]; then
    folder=$(cat "$MACHINE/clusters/$K8S_NS")
    [ "$folder" = "$K8S_DIR" ] || die "a cluster $K8S_NS with its state in $folder is there: choose another K8S_SLOT, or K8S_DIR=$folder $0 down"
  elif [ -e "/run/netns/$K8S_NS" ]; then
    die "there is a network namespace $K8S_NS that no test cluster made: choose another K8S_NS"
  fi
  echo "$K8S_DIR" > "$MACHINE/clusters/$K8S_NS"
  machine_unlock
}

machine_restore() {
  machine_lock
  restore_parts
  machine_unlock
}

restore_parts() {
  local line
  rm -f "$MACHINE/clusters/$K8S_NS"
  # logs of our own pods; other clusters of this machine keep theirs
  for line in "$K8S_DIR"/kubelet/pods/*; do
    [ "$line" = "$K8S_DIR/kubelet/pods/*" ] || rm -rf /var/log/pods/*_"${line##*/}"
  done
  if [ -d /var/log/containers ]; then find /var/log/containers -xtype l -delete; fi
  [ -e "$MACHINE/noted" ] || return 0
  [ -z "$(ls "$MACHINE/clusters")" ] || return 0
  while IFS= read -r line; do sysctl -qw "$line" 2>/dev/null || true; done < "$MACHINE/sysctl"
  while IFS= read -r line; do
    unmount_under "$line"
    rm -rf --one-file-system "$line"
  done < "$MACHINE/new-folders"
  rm -rf "$MACHINE"
}

unmount_under() { # FOLDER: deepest first
  local mount
  awk -v d="$1/" 'index($5, d) == 1 {print $5}' /proc/self/mountinfo | sort -r |
    while read -r mount; do umount -l -- "$(printf '%b' "$mount")" 2>/dev/null || true; done
}
