# shellcheck shell=bash
# Which Kubernetes, and where what belongs to it is. Needs: die.

KTCTL_TEST_KUBERNETES=${KTCTL_TEST_KUBERNETES:-1.37}
export K8S_HOME=${K8S_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/ktctl-k8s}
K8S_SLOT=${K8S_SLOT:-0}
[[ $K8S_SLOT == [0-9] ]] || die "K8S_SLOT=$K8S_SLOT is none of 0 ... 9"

# A cluster's number is in all its names and addresses, so that one of each version runs beside the other.
case $KTCTL_TEST_KUBERNETES in
  1.20) K8S_MINOR=20 K8S_BIN=$K8S_HOME/bin K8S_DNS=kube-dns-mini K8S_NUMBER=$K8S_SLOT ;;
  1.37) K8S_MINOR=37 K8S_BIN=$K8S_HOME/bin-1.37 K8S_DNS=coredns K8S_NUMBER=$((K8S_SLOT + 10)) ;;
  *) die "KTCTL_TEST_KUBERNETES=$KTCTL_TEST_KUBERNETES is none of 1.20 and 1.37" ;;
esac
export K8S_BIN KTCTL_TEST_KUBERNETES
