# shellcheck shell=bash
# K8S_NODES=2: a second node, in a network namespace of its own behind the first one's. Its kubelet,
# kube-proxy and containerd are started by the functions that start the first's, with its own names and
# addresses in their variables. Needs: all of the other parts.

K8S_NODES=${K8S_NODES:-1}
SECOND_DIR=$K8S_DIR/second
case $K8S_NODES in
  1) ;;
  2) [ "$K8S_STACK" = ipv4 ] || die "K8S_NODES=2 takes K8S_STACK=ipv4" ;;
  *) die "K8S_NODES is 1 or 2, not $K8S_NODES" ;;
esac

on_second() ( # COMMAND...: as that node
  # shellcheck disable=SC2030 # for the command alone
  FIRST_NS=$K8S_NS FIRST_PODS=$POD_CIDR FIRST_LINK=$HOST_IP/30 FIRST_PKI=$PKI
  K8S_NS+=-b K8S_DIR=$SECOND_DIR NODE=node2
  HOST_IP=10.242.$K8S_NUMBER.1 NODE_IP=10.242.$K8S_NUMBER.2 POD_CIDR=10.243.$K8S_NUMBER.0/24
  POD_GW=${POD_CIDR%.*}.1
  NODE_IPS=("$NODE_IP") HOST_IPS=("$HOST_IP") POD_CIDRS=("$POD_CIDR") POD_GWS=("$POD_GW")
  PKI=$K8S_DIR/pki LOG=$K8S_DIR/log PID=$K8S_DIR/pid CFG=$K8S_DIR/conf SOCK=$K8S_DIR/containerd.sock
  NSX=(nsenter "--net=/run/netns/$K8S_NS")
  CTR=(ctr -a "$SOCK" -n k8s.io)
  "$@"
)

second_up() {
  ip route replace unreachable "10.243.$K8S_NUMBER.0/24" metric 65535 # as network.sh does for the first's
  on_second second_node_up
}

# The rest runs as the second node.

second_node_up() {
  mkdir -p "$PKI" "$LOG" "$PID" "$CFG"
  [ -e "/run/netns/$K8S_NS" ] || ip netns add "$K8S_NS"
  ip -n "$FIRST_NS" link show node2 >/dev/null 2>&1 ||
    ip -n "$FIRST_NS" link add node2 type veth peer name eth0 netns "$K8S_NS"
  ip -n "$FIRST_NS" link set node2 up
  ip -n "$FIRST_NS" addr replace "$HOST_IP/30" dev node2
  node_network_up
  ip -n "$FIRST_NS" route replace "$POD_CIDR" via "$NODE_IP"
  ip -n "$K8S_NS" route replace "$FIRST_PODS" via "$HOST_IP"
  ip -n "$K8S_NS" route replace "$(network_of "$FIRST_LINK")" via "$HOST_IP"
  cgroups_up
  if ! [ -e "$PKI/.done" ]; then
    cp "$FIRST_PKI"/{ca.crt,ca.key,proxy.crt,proxy.key} "$PKI"
    node_certificate
    kubeconfig "$CFG/kubelet.kubeconfig" kubelet kubelet
    kubeconfig "$CFG/proxy.kubeconfig" proxy proxy
    touch "$PKI/.done"
  fi
  configuration_files
  start_component containerd
  await_component containerd
  import_images
  start_component kubelet
  start_component kube-proxy
  await_component kubelet
  give_pod_cidr
}

network_of() { # A.B.C.D/30, of which D is 1
  echo "${1%.*}.0/30"
}

second_down() {
  ip route del unreachable "10.243.$K8S_NUMBER.0/24" metric 65535 2>/dev/null || true
  if [ -d "$SECOND_DIR" ]; then on_second second_node_down; fi
}

second_node_down() {
  local name
  for name in kubelet kube-proxy; do stop $name 2; done
  end_containers
  stop containerd 3
  kill_inside
  unmount_under "$K8S_DIR"
  cgroups_down
  if [ -e "/run/netns/$K8S_NS" ]; then ip netns del "$K8S_NS"; fi # and the link with it
  machine_restore
}
