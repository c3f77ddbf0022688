# shellcheck shell=bash
# Which IP families the cluster has: K8S_STACK=ipv4 | dual | ipv6. Addresses of IPv6 stand beside those
# of IPv4, which are the first family of a cluster that has both. Needs: K8S_MINOR, K8S_NUMBER, die.
# Sets: NODE_IPS, HOST_IPS, POD_CIDRS, POD_GWS, SVC_CIDRS, SVC_APIS (one of each for a family), LINK_BITS,
# and of the first family NODE_IP, POD_CIDR, SVC_DNS, API_HOST, API_BIND.

K8S_STACK=${K8S_STACK:-ipv4}
NODE_IPS=("$NODE_IP") HOST_IPS=("$HOST_IP") LINK_BITS=(30)
POD_CIDRS=("$POD_CIDR") POD_GWS=("$POD_GW") SVC_CIDRS=("$SVC_CIDR") SVC_APIS=("$SVC_API")
API_HOST=$NODE_IP API_BIND=$NODE_IP

stack_ipv6() {
  NODE_IPS+=("fd00:10:245:$K8S_NUMBER::2") HOST_IPS+=("fd00:10:245:$K8S_NUMBER::1") LINK_BITS+=(126)
  POD_CIDRS+=("fd00:10:244:$K8S_NUMBER::/64") POD_GWS+=("fd00:10:244:$K8S_NUMBER::1")
  SVC_CIDRS+=("fd00:10:96:$K8S_NUMBER::/112") SVC_APIS+=("fd00:10:96:$K8S_NUMBER::1")
}

if [ "$K8S_STACK" != ipv4 ] && ((K8S_MINOR < 23)); then
  die "K8S_STACK=$K8S_STACK takes Kubernetes 1.23 or newer: before, IPv6 is another API behind a feature gate"
fi
case $K8S_STACK in
  ipv4) ;;
  dual) stack_ipv6; API_BIND=:: ;;
  ipv6)
    NODE_IPS=() HOST_IPS=() LINK_BITS=() POD_CIDRS=() POD_GWS=() SVC_CIDRS=() SVC_APIS=()
    stack_ipv6
    NODE_IP=${NODE_IPS[0]} API_BIND=${NODE_IPS[0]} POD_CIDR=${POD_CIDRS[0]} SVC_DNS=fd00:10:96:$K8S_NUMBER::a API_HOST=[${NODE_IPS[0]}]
    ;;
  *) die "K8S_STACK is ipv4, dual or ipv6, not $K8S_STACK" ;;
esac

joined() { local IFS=,; echo "$*"; } # WORD...: with commas between them

has_ipv6() { [ "$K8S_STACK" != ipv4 ]; }

# For the CNI plugin host-local: a range and a default route for each family.
cni_ranges() {
  local i ranges=()
  for i in "${!POD_CIDRS[@]}"; do
    ranges+=("[{\"subnet\":\"${POD_CIDRS[$i]}\",\"gateway\":\"${POD_GWS[$i]}\"}]")
  done
  joined "${ranges[@]}"
}

cni_routes() {
  local gateway routes=()
  for gateway in "${POD_GWS[@]}"; do
    if [[ $gateway == *:* ]]; then routes+=('{"dst":"::/0"}'); else routes+=('{"dst":"0.0.0.0/0"}'); fi
  done
  joined "${routes[@]}"
}

nodad() { # INDEX: no waiting for a neighbour who might have that address of IPv6
  if [[ ${NODE_IPS[$1]} == *:* ]]; then echo nodad; fi
}
