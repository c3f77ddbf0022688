# shellcheck shell=bash
# The cluster's network namespace behind a veth pair, and its control groups.
# Needs: K8S_NS, K8S_IF, K8S_DIR, NSX, the addresses of stack.sh.

network_up() {
  local range i
  [ -e "/run/netns/$K8S_NS" ] || ip netns add "$K8S_NS"
  ip link show "$K8S_IF" >/dev/null 2>&1 ||
    ip link add "$K8S_IF" type veth peer name eth0 netns "$K8S_NS"
  ip link set "$K8S_IF" up
  # shellcheck disable=SC2046 # a word or none
  for i in "${!HOST_IPS[@]}"; do
    ip addr replace "${HOST_IPS[$i]}/${LINK_BITS[$i]}" dev "$K8S_IF" $(nodad "$i")
  done
  node_network_up
  # This machine stands outside the cluster, as a developer's laptop does. A packet to a
  # service or pod must never follow the default route off this machine; with the highest
  # metric, any route that the program under test makes wins over ours.
  for range in "${SVC_CIDRS[@]}" "${POD_CIDRS[@]}"; do ip route replace unreachable "$range" metric 65535; done
}

# Inside of the namespace, whose eth0 is there.
node_network_up() {
  local i
  # shellcheck disable=SC2016 # expanded by the inner shell
  "${NSX[@]}" bash -euc '
    ip link set lo up; ip link set eth0 up
    # without an address of its own a bridge takes that of a pod, and another when that goes: the
    # rest cannot answer the probes of the node until they notice, and cluster DNS is not ready
    ip link show cni0 >/dev/null 2>&1 || ip link add cni0 address 02:00:00:00:00:01 type bridge
    ip link set cni0 up
    echo 1 > /proc/sys/net/ipv4/ip_forward
    for name in iptables ip6tables; do
      [ ! -e /proc/sys/net/bridge/bridge-nf-call-$name ] || echo 1 > /proc/sys/net/bridge/bridge-nf-call-$name
    done
  '
  if has_ipv6; then "${NSX[@]}" sh -c 'echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'; fi
  # shellcheck disable=SC2046 # a word or none
  for i in "${!POD_CIDRS[@]}"; do
    "${NSX[@]}" ip addr replace "${NODE_IPS[$i]}/${LINK_BITS[$i]}" dev eth0 $(nodad "$i")
    "${NSX[@]}" ip addr replace "${POD_GWS[$i]}/${POD_CIDRS[$i]#*/}" dev cni0 $(nodad "$i")
    # a service address that kube-proxy does not know (yet) ends at the bridge
    "${NSX[@]}" ip route replace "${SVC_CIDRS[$i]}" dev cni0
  done
}

network_down() {
  local range
  for range in "${SVC_CIDRS[@]}" "${POD_CIDRS[@]}"; do
    ip route del unreachable "$range" metric 65535 2>/dev/null || true
  done
  ip link del "$K8S_IF" 2>/dev/null || true
  if [ -e "/run/netns/$K8S_NS" ]; then ip netns del "$K8S_NS"; fi
}

# A group of our own in each mounted hierarchy; mounts are left as they are.
cgroup_folders() {
  local m
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo "/sys/fs/cgroup/$K8S_NS"
    return
  fi
  # v1 or hybrid: the unified one too, runc uses it
  for m in /sys/fs/cgroup/*/; do
    if [ -e "$m/cgroup.procs" ]; then echo "$m$K8S_NS"; fi
  done
}

cgroups_up() {
  local d f
  for d in $(cgroup_folders); do
    mkdir -p "$d"
    for f in cpuset.cpus cpuset.mems; do # v1: a new cpuset is empty
      if [ -e "$d/$f" ] && [ -e "$d/../$f" ] && [ -z "$(cat "$d/$f")" ]; then cat "$d/../$f" > "$d/$f"; fi
    done
    # pods as one group against each process of the tests: on a real node nobody is in their way
    if [ -e "$d/cpu.shares" ]; then echo 8192 > "$d/cpu.shares"; fi
    if [ -e "$d/cpu.weight" ]; then echo 800 > "$d/cpu.weight"; fi
  done
}

# What runs in our groups and our namespace is ours by construction.
kill_inside() {
  local d
  {
    for d in $(cgroup_folders); do
      if [ -d "$d" ]; then find "$d" -name cgroup.procs -exec cat {} + 2>/dev/null || true; fi
    done
    if [ -e "/run/netns/$K8S_NS" ]; then ip netns pids "$K8S_NS"; fi
  } | sort -u | while read -r d; do kill -KILL "$d" 2>/dev/null || true; done
}

cgroups_down() {
  local d i left
  for ((i = 0; i < 50; i++)); do
    left=
    for d in $(cgroup_folders); do
      [ -d "$d" ] || continue
      find "$d" -depth -type d -exec rmdir {} \; 2>/dev/null || true
      if [ -d "$d" ]; then left=1; fi
    done
    [ -n "$left" ] || return 0
    kill_inside
    sleep 0.1
  done
}
