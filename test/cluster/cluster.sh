#!/usr/bin/env bash
# shellcheck source-path=SCRIPTDIR
# A real Kubernetes with one node (or two) for end-to-end tests, without docker or registry: servers
# built by build.sh, the rest from Debian's packages. KTCTL_TEST_KUBERNETES says which:
# 1.37 (1.37.2; the default) or 1.20 (1.20.2).
#
#   cluster.sh up       from whatever state, also after a killed run; installs and builds
#                       what is missing the first time (minutes), then takes seconds
#   cluster.sh down     removes all of it; the machine is as it was before
#   cluster.sh restart  down and up
#   cluster.sh status
#   cluster.sh env      prints: export KUBECONFIG=... PATH=..., for kubectl of the same version
#   cluster.sh restart-apiserver            the kube-apiserver only; waits until it is ready
#   cluster.sh stop-component NAME [SECONDS]   0 seconds: killed without warning
#   cluster.sh start-component NAME         waits until it is ready
#   cluster.sh ns COMMAND...                in the node's network namespace
#   cluster.sh ctr ARGUMENT...              the node's containerd
#   cluster.sh sshd-image                   gives the running cluster localhost/sshd:1
#
# Components: etcd containerd kube-apiserver kube-controller-manager kube-scheduler
# kubelet kube-proxy.
#
# The whole cluster lives in a network namespace ($K8S_NS) behind a veth pair: no iptables
# rule, forwarding switch or listening port on the host, no default route inside, so nothing
# can leave this machine. The host reaches the API at https://$NODE_IP:$API_PORT and node
# ports, but neither services nor pods: it stands outside, as a developer's laptop does.
#
# A second cluster beside the first: K8S_SLOT=1 ... 9 chooses other names and addresses, and
# so does the other version. K8S_KCM has more flags for the controller manager, K8S_PROXY_MODE
# is iptables or nftables (1.37). K8S_STACK=dual gives Services and pods addresses of IPv6 beside
# those of IPv4, K8S_STACK=ipv6 those alone (1.37; the API server has an address of IPv6 then).
# K8S_NODES=2 adds a second node.
set -euo pipefail
# the servers of a small cluster collect garbage all the time, and memory is not what is short
export GOGC=400
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}
umask 022
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s\n' "$*" >&2; }
die() { say "cluster.sh: $*"; exit 1; }

# shellcheck source=version.sh
. "$HERE/version.sh"
SUFFIX=$([ "$K8S_NUMBER" = 0 ] || echo "-$K8S_NUMBER")
K8S_DIR=${K8S_DIR:-$K8S_HOME/run$SUFFIX} # all state; removed by down
K8S_NS=${K8S_NS:-k8s-e2e$SUFFIX}         # network namespace, and name of the control groups
K8S_IF=${K8S_IF:-k8se2e$SUFFIX}          # veth on the host (15 characters at most)
K8S_WAIT=${K8S_WAIT:-120}                # seconds that up waits for anything
HOST_IP=${K8S_HOST_IP:-10.245.$K8S_NUMBER.1}
NODE_IP=${K8S_NODE_IP:-10.245.$K8S_NUMBER.2}
POD_CIDR=${K8S_POD_CIDR:-10.244.$K8S_NUMBER.0/24}
SVC_CIDR=${K8S_SVC_CIDR:-10.$((96 + K8S_NUMBER)).0.0/16}
POD_GW=${POD_CIDR%.*}.1
SVC_API=${SVC_CIDR%.*}.1
SVC_DNS=${SVC_CIDR%.*}.10
DOMAIN=cluster.local NODE=node1 API_PORT=${K8S_API_PORT:-16443}

PKI=$K8S_DIR/pki LOG=$K8S_DIR/log PID=$K8S_DIR/pid CFG=$K8S_DIR/conf SOCK=$K8S_DIR/containerd.sock
KUBECFG=$K8S_DIR/admin.kubeconfig
NSX=(nsenter "--net=/run/netns/$K8S_NS")
export PATH=$K8S_BIN:$PATH # kubectl of the same version, where it was built
K=(kubectl "--kubeconfig=$KUBECFG" --request-timeout=3s)
CTR=(ctr -a "$SOCK" -n k8s.io)
COMPONENTS=(etcd containerd kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)
PROGRAMS=(etcd containerd ctr runc iptables conntrack ip openssl kubectl nsenter setsid sysctl
  /usr/lib/cni/bridge /usr/lib/cni/loopback /usr/lib/cni/host-local)
PACKAGES=(etcd-server containerd runc iptables conntrack iproute2 openssl util-linux procps
  containernetworking-plugins)

# shellcheck source=stack.sh
. "$HERE/stack.sh"
API=https://$API_HOST:$API_PORT
# shellcheck source=apt.sh
. "$HERE/apt.sh"
# shellcheck source=process.sh
. "$HERE/process.sh"
# shellcheck source=machine.sh
. "$HERE/machine.sh"
# shellcheck source=network.sh
. "$HERE/network.sh"
# shellcheck source=pki.sh
. "$HERE/pki.sh"
# shellcheck source=node_config.sh
. "$HERE/node_config.sh"
# shellcheck source=dns_objects.sh
. "$HERE/dns_objects.sh"
# shellcheck source=images.sh
. "$HERE/images.sh"
# shellcheck source=sshd_image.sh
. "$HERE/sshd_image.sh"
# shellcheck source=second_node.sh
. "$HERE/second_node.sh"

# What outlives the cluster: packages, servers, images. Made once, by one at a time.
make_parts() {
  local program
  mkdir -p "$K8S_HOME"
  "$HERE/build.sh" >&2 # before the lock, which the other version is not to wait for
  exec 8> "$K8S_HOME/lock"
  flock -w 1200 8 || die "another run makes images for twenty minutes already"
  for program in "${PROGRAMS[@]}"; do
    command -v "$program" >/dev/null && continue
    command -v kubectl >/dev/null || PACKAGES+=(kubernetes-client)
    say "Installing Debian's packages for a node: ${PACKAGES[*]}"
    apt_install "${PACKAGES[@]}"
    break
  done
  make_images
  exec 8>&-
}

server() { # NAME: path of a link to hyperkube that has the server's name
  mkdir -p "$K8S_DIR/bin"
  ln -sfn "$K8S_BIN/hyperkube" "$K8S_DIR/bin/$1"
  echo "$K8S_DIR/bin/$1"
}

# --- components: each started in the namespace, and known to be ready ---

start_component() {
  local gates=() insecure=() runtime=() manager=()
  if ((K8S_MINOR < 24)); then insecure=(--port=0) runtime=(--container-runtime=remote); fi
  if ((K8S_MINOR < 27)); then # afterwards in its file
    runtime+=(--container-runtime-endpoint="unix://$SOCK" --image-service-endpoint="unix://$SOCK")
  fi
  # Endpoints are deprecated since 1.33; a cluster may have EndpointSlices alone, as this one then
  if ((K8S_MINOR >= 33)); then manager=('--controllers=*,-endpoints-controller'); fi
  if [ -n "${K8S_KCM:-}" ]; then read -ra manager <<< "$K8S_KCM"; fi
  [ -z "${K8S_FEATURE_GATES:-}" ] || gates=("--feature-gates=$K8S_FEATURE_GATES")
  case $1 in
    etcd)
      # a test's cluster may forget all at a power cut: no fsync
      start etcd "${NSX[@]}" etcd --name e2e --data-dir "$K8S_DIR/etcd" --unsafe-no-fsync \
        --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
        --listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
        --initial-cluster e2e=http://127.0.0.1:2380 --log-level warn --logger zap
      ;;
    containerd) start containerd "${NSX[@]}" containerd --config "$CFG/containerd.toml" ;;
    kube-apiserver)
      start kube-apiserver "${NSX[@]}" "$(server kube-apiserver)" --etcd-servers=http://127.0.0.1:2379 \
        --bind-address="$API_BIND" --advertise-address="$NODE_IP" --secure-port="$API_PORT" \
        --service-cluster-ip-range="$(joined "${SVC_CIDRS[@]}")" --authorization-mode=Node,RBAC \
        --enable-admission-plugins=NodeRestriction --allow-privileged=true \
        --client-ca-file="$PKI/ca.crt" --tls-cert-file="$PKI/apiserver.crt" --tls-private-key-file="$PKI/apiserver.key" \
        --kubelet-client-certificate="$PKI/kubelet-client.crt" --kubelet-client-key="$PKI/kubelet-client.key" \
        --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP \
        --service-account-issuer="https://kubernetes.default.svc.$DOMAIN" \
        --service-account-key-file="$PKI/sa.pub" --service-account-signing-key-file="$PKI/sa.key" \
        --requestheader-client-ca-file="$PKI/front.crt" --requestheader-allowed-names=front-proxy-client \
        --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
        --requestheader-extra-headers-prefix=X-Remote-Extra- \
        --proxy-client-cert-file="$PKI/front-client.crt" --proxy-client-key-file="$PKI/front-client.key" \
        --enable-aggregator-routing=true "${gates[@]}" --profiling=false --v=1
      ;;
    kube-controller-manager)
      start kube-controller-manager "${NSX[@]}" "$(server kube-controller-manager)" \
        --kubeconfig="$CFG/kcm.kubeconfig" --authentication-kubeconfig="$CFG/kcm.kubeconfig" \
        --authorization-kubeconfig="$CFG/kcm.kubeconfig" --bind-address=127.0.0.1 "${insecure[@]}" \
        --leader-elect=false --kube-api-qps=500 --kube-api-burst=1000 --use-service-account-credentials=true \
        --service-account-private-key-file="$PKI/sa.key" --root-ca-file="$PKI/ca.crt" \
        --cluster-signing-cert-file="$PKI/ca.crt" --cluster-signing-key-file="$PKI/ca.key" \
        --allocate-node-cidrs=false --service-cluster-ip-range="$(joined "${SVC_CIDRS[@]}")" --cluster-name=e2e "${manager[@]}" --v=1
      ;;
    kube-scheduler)
      start kube-scheduler "${NSX[@]}" "$(server kube-scheduler)" --kubeconfig="$CFG/scheduler.kubeconfig" \
        --authentication-kubeconfig="$CFG/scheduler.kubeconfig" \
        --authorization-kubeconfig="$CFG/scheduler.kubeconfig" \
        --bind-address=127.0.0.1 "${insecure[@]}" --leader-elect=false --v=1
      ;;
    kubelet)
      start kubelet "${NSX[@]}" "$(server kubelet)" --config="$CFG/kubelet.yaml" \
        --kubeconfig="$CFG/kubelet.kubeconfig" --root-dir="$K8S_DIR/kubelet" \
        --hostname-override=$NODE --node-ip="$(joined "${NODE_IPS[@]}")" "${runtime[@]}" \
        --node-labels=e2e=true "${gates[@]}" --v=1
      ;;
    kube-proxy) start kube-proxy "${NSX[@]}" "$(server kube-proxy)" --config="$CFG/proxy.yaml" --v=1 ;;
    *) die "no component $1; there are: ${COMPONENTS[*]}" ;;
  esac
}

await_component() {
  case $1 in
    containerd) await containerd containerd "${CTR[@]}" version ;;
    kube-apiserver) await 'the API server' kube-apiserver api_ready ;;
    kubelet) await "node $NODE" kubelet node_ready ;;
  esac
}

# Without kubectl as long as nothing listens: it takes longer to start than to be waited for.
api_ready() { (: < "/dev/tcp/$NODE_IP/$API_PORT") && "${K[@]}" get --raw /readyz; }
node_ready() { [ "$("${K[@]}" get node $NODE -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')" = True ]; }
dns_ready() { [ "$("${K[@]}" -n kube-system get deploy coredns -o 'jsonpath={.status.readyReplicas}')" = 1 ]; }

import_images() {
  local archive imported=$K8S_DIR/imported
  for archive in "$IMAGES" "$DNS_IMAGE"; do
    ! grep -qsxF "$archive" "$imported" || continue
    timeout 180 "${CTR[@]}" images import --digests=false "$archive" >/dev/null
    echo "$archive" >> "$imported"
  done
}

# By hand: the controller that would set it sleeps 10 s before its first look, and holds up all after it.
give_pod_cidr() {
  "${K[@]}" patch node $NODE -p "{\"spec\":{\"podCIDR\":\"$POD_CIDR\",\"podCIDRs\":[\"$(joined "${POD_CIDRS[@]}" | sed 's/,/","/g')\"]}}" >/dev/null
}

up() {
  local begin name
  begin=$(date +%s%N)
  machine_note
  mkdir -p "$PKI" "$LOG" "$PID" "$CFG"
  network_up
  cgroups_up
  certificates
  configuration_files
  for name in etcd containerd kube-apiserver; do start_component $name; done
  await_component containerd
  import_images
  await_component kube-apiserver
  for name in kube-controller-manager kube-scheduler kubelet kube-proxy; do start_component $name; done
  await 'the DNS manifest' kube-apiserver "${K[@]}" apply --validate=false -f "$CFG/dns.yaml"
  await_component kubelet
  give_pod_cidr
  await 'the default service account' kube-controller-manager "${K[@]}" -n default get serviceaccount default
  await 'cluster DNS' kubelet dns_ready
  if [ "$K8S_NODES" = 2 ]; then second_up; fi
  say "up in $((($(date +%s%N) - begin) / 1000000)) ms: $API  export KUBECONFIG=$KUBECFG"
}

# They outlive containerd: each is ended through it, while it is there.
end_containers() {
  local id
  pid_of containerd >/dev/null || return 0
  for id in $(timeout 10 "${CTR[@]}" tasks ls -q 2>/dev/null); do
    timeout 10 "${CTR[@]}" tasks rm -f "$id" >/dev/null 2>&1 9>&- &
  done
  wait
  for id in $(timeout 10 "${CTR[@]}" containers ls -q 2>/dev/null); do
    timeout 10 "${CTR[@]}" containers rm "$id" >/dev/null 2>&1 || true
  done
}

down() {
  local begin name
  begin=$(date +%s%N)
  if ! [ -d "$K8S_DIR" ] && ! [ -e "$MACHINE/clusters/$K8S_NS" ]; then
    say "down already"
    return 0
  fi
  if [ -e "$MACHINE/clusters/$K8S_NS" ] && [ "$(cat "$MACHINE/clusters/$K8S_NS")" != "$K8S_DIR" ]; then
    die "the cluster $K8S_NS of this machine is another's: its state is in $(cat "$MACHINE/clusters/$K8S_NS")"
  fi
  second_down
  for name in kubelet kube-scheduler kube-controller-manager kube-proxy; do stop $name 2; done
  end_containers
  for name in kube-apiserver containerd etcd; do stop $name 3; done
  kill_inside
  unmount_under "$K8S_DIR"
  cgroups_down
  network_down
  machine_restore
  rm -rf --one-file-system "$K8S_DIR"
  say "down in $((($(date +%s%N) - begin) / 1000000)) ms"
}

status() {
  local name pid memory sum=0 failed=0
  [ -d "$K8S_DIR" ] || { say "down (no $K8S_DIR)"; return 3; }
  for name in "${COMPONENTS[@]}"; do
    if pid=$(pid_of "$name"); then
      memory=$(awk '/^VmRSS/ {print int($2 / 1024)}' "/proc/$pid/status")
      sum=$((sum + memory))
      printf '%-24s pid %-7s %4s MiB\n' "$name" "$pid" "$memory"
    else
      printf '%-24s dead\n' "$name"
      failed=1
    fi
  done
  printf '%-36s %4s MiB\n' together "$sum"
  echo "API: $("${K[@]}" get --raw /readyz 2>&1 | head -1)"
  "${K[@]}" get nodes,pods -A -o wide 2>&1 || failed=1
  return $failed
}

command=${1:-}
shift || true
case $command in
  up | down | restart | restart-apiserver | stop-component | start-component | sshd-image)
    [ "$(id -u)" = 0 ] || die "must be root"
    ;;
esac
case $command in
  up) make_parts; cluster_lock; up ;;
  down) cluster_lock; down ;;
  restart) make_parts; cluster_lock; down; up ;;
  restart-apiserver)
    stop kube-apiserver "${1:-3}"
    start_component kube-apiserver
    await_component kube-apiserver
    ;;
  stop-component) stop "${1:?name of a component}" "${2:-3}" ;;
  start-component) start_component "${1:?name of a component}"; await_component "$1" ;;
  status) status ;;
  env) echo "export KUBECONFIG=$KUBECFG PATH=$K8S_BIN:\$PATH" ;;
  ns) exec "${NSX[@]}" "$@" ;;
  ctr) exec "${CTR[@]}" "$@" ;;
  sshd-image)
    exec 8> "$K8S_HOME/lock"
    flock -w 1200 8 || die "another run makes images for twenty minutes already"
    make_sshd_image
    "${CTR[@]}" images import --digests=false "$SSHD_IMAGE" >/dev/null
    ;;
  *) sed -n '3,/^set /{/^#/p}' "$0"; exit 2 ;;
esac
