# shellcheck shell=bash
# Certificates and kubeconfig files of the cluster. Needs: PKI, CFG, KUBECFG, API, NODE,
# DOMAIN, the addresses of stack.sh.

ca() { # NAME CN
  openssl ecparam -name prime256v1 -genkey -noout -out "$PKI/$1.key" 2>/dev/null
  openssl req -x509 -new -sha256 -key "$PKI/$1.key" -subj "/CN=$2" -days 3650 -out "$PKI/$1.crt" \
    -addext 'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign' 2>/dev/null
}

cert() { # NAME CA SUBJECT USAGE [SUBJECT_ALT_NAMES]
  openssl ecparam -name prime256v1 -genkey -noout 2>/dev/null |
    openssl pkcs8 -topk8 -nocrypt -out "$PKI/$1.key"
  {
    echo "basicConstraints=critical,CA:FALSE"
    echo "keyUsage=critical,digitalSignature,keyEncipherment"
    echo "extendedKeyUsage=$4"
    [ -z "${5:-}" ] || echo "subjectAltName=$5"
  } > "$PKI/$1.ext"
  openssl req -new -sha256 -key "$PKI/$1.key" -subj "$3" 2>/dev/null |
    openssl x509 -req -sha256 -CA "$PKI/$2.crt" -CAkey "$PKI/$2.key" -set_serial "0x$(openssl rand -hex 8)" \
      -days 3650 -extfile "$PKI/$1.ext" -out "$PKI/$1.crt" 2>/dev/null
  rm "$PKI/$1.ext"
}

kubeconfig() { # FILE CERT USER
  cat > "$1" <<Y
apiVersion: v1
kind: Config
clusters: [{name: e2e, cluster: {server: "$API", certificate-authority-data: $(base64 -w0 "$PKI/ca.crt")}}]
users: [{name: $3, user: {client-certificate-data: $(base64 -w0 "$PKI/$2.crt"), client-key-data: $(base64 -w0 "$PKI/$2.key")}}]
contexts: [{name: e2e, context: {cluster: e2e, user: $3, namespace: default}}]
current-context: e2e
Y
  chmod 600 "$1"
}

ip_names() { # ADDRESS...: as subject alternative names
  joined "${@/#/IP:}"
}

node_certificate() {
  cert kubelet ca "/O=system:nodes/CN=system:node:$NODE" serverAuth,clientAuth "DNS:$NODE,IP:127.0.0.1,$(ip_names "${NODE_IPS[@]}")"
}

certificates() {
  local name
  [ -e "$PKI/.done" ] && return 0
  mkdir -p "$PKI"
  chmod 700 "$PKI"
  ca ca kubernetes-e2e-ca
  ca front front-proxy-ca
  cert apiserver ca /CN=kube-apiserver serverAuth "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.$DOMAIN,DNS:localhost,IP:127.0.0.1,$(ip_names "${NODE_IPS[@]}" "${HOST_IPS[@]}" "${SVC_APIS[@]}")"
  cert kubelet-client ca /O=system:masters/CN=kube-apiserver-kubelet-client clientAuth
  cert front-client front /CN=front-proxy-client clientAuth
  node_certificate
  cert admin ca /O=system:masters/CN=kubernetes-admin clientAuth
  cert kcm ca /CN=system:kube-controller-manager clientAuth
  cert scheduler ca /CN=system:kube-scheduler clientAuth
  cert proxy ca /CN=system:kube-proxy clientAuth
  openssl genrsa -out "$PKI/sa.key" 2048 2>/dev/null
  openssl rsa -in "$PKI/sa.key" -pubout -out "$PKI/sa.pub" 2>/dev/null
  kubeconfig "$KUBECFG" admin admin
  for name in kubelet kcm scheduler proxy; do kubeconfig "$CFG/$name.kubeconfig" $name $name; done
  touch "$PKI/.done"
}
