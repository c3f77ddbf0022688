# shellcheck shell=bash
# Configuration files of containerd, kubelet, kube-proxy and the cluster's DNS.
# Needs: CFG, PKI, SOCK, K8S_DIR, K8S_NS, the addresses.

# FILE: standard input as FILE, which is touched only if it differs: kube-proxy ends itself
# when its file is written, even with the same content.
put() {
  cat > "$1.new"
  if cmp -s "$1.new" "$1"; then rm "$1.new"; else mv "$1.new" "$1"; fi
}

# What newer kubelets have in their file.
kubelet_settings() {
  if ((K8S_MINOR >= 27)); then echo "containerRuntimeEndpoint: unix://$SOCK"; fi
  # with the rest of the state, not in the machine's /var/log/pods
  if ((K8S_MINOR >= 30)); then echo "podLogsDir: $K8S_DIR/podlogs"; fi
  # refused by default since 1.35
  if ((K8S_MINOR >= 31)); then echo "failCgroupV1: false"; fi
}

configuration_files() {
  mkdir -p "$CFG/cni" "$K8S_DIR/manifests"
  : > "$CFG/resolv.conf"   # pods with dnsPolicy Default get no name server
  put "$CFG/containerd.toml" <<Y
version = 2
root = "$K8S_DIR/containerd"
state = "$K8S_DIR/containerd-state"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs","io.containerd.snapshotter.v1.btrfs","io.containerd.snapshotter.v1.devmapper","io.containerd.snapshotter.v1.zfs","io.containerd.internal.v1.opt","io.containerd.tracing.processor.v1.otlp","io.containerd.internal.v1.tracing"]
[grpc]
  address = "$SOCK"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  # root without CAP_SYS_RESOURCE cannot lower oom_score_adj: runc would die with "can't get final child's PID"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$CFG/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
Y
  put "$CFG/cni/10-e2e.conflist" <<Y
{"cniVersion":"0.4.0","name":"$K8S_NS","plugins":[
 {"type":"bridge","bridge":"cni0","isGateway":true,"hairpinMode":true,
  "ipam":{"type":"host-local","dataDir":"$K8S_DIR/cni-ipam","ranges":[$(cni_ranges)],"routes":[$(cni_routes)]}}]}
Y
  put "$CFG/kubelet.yaml" <<Y
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $PKI/kubelet.crt
tlsPrivateKeyFile: $PKI/kubelet.key
address: "$NODE_IP"
healthzBindAddress: 127.0.0.1
cgroupDriver: cgroupfs
cgroupRoot: /$K8S_NS
cgroupsPerQOS: true
enforceNodeAllocatable: [pods]
failSwapOn: false
oomScoreAdj: 0
clusterDomain: $DOMAIN
clusterDNS: ["$SVC_DNS"]
resolvConf: $CFG/resolv.conf
staticPodPath: $K8S_DIR/manifests
volumePluginDir: $K8S_DIR/kubelet/volumeplugins
imageGCHighThresholdPercent: 100
imageMinimumGCAge: 24h
evictionHard: {memory.available: 50Mi, nodefs.available: 100Mi, nodefs.inodesFree: "1%"}
serializeImagePulls: false
syncFrequency: 10s
nodeStatusUpdateFrequency: 5s
nodeStatusReportFrequency: 1m
fileCheckFrequency: 5s
$(kubelet_settings)
Y
  put "$CFG/proxy.yaml" <<Y
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $CFG/proxy.kubeconfig}
hostnameOverride: $NODE
mode: ${K8S_PROXY_MODE:-iptables}
oomScoreAdj: 0
clusterCIDR: "$(joined "${POD_CIDRS[@]}")"
bindAddress: "$NODE_IP"
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
iptables: {syncPeriod: 30s, minSyncPeriod: 0s}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
Y
  put "$CFG/dns.yaml" < <(dns_objects)
}
