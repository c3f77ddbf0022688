/** The Kubernetes objects of a shared Shadow Pod. */
import { keysDigest } from "../../link/wire/keys_digest.ts";
import { REF_COUNT, ROLE, SHARE_NAME, TARGET } from "../../kube/annotations.ts";
import type { KubeObject, ObjectRef } from "../../kube/kube_api.ts";
import { CONFIG_MAPS, DEPLOYMENTS, PODS } from "../../kube/resources.ts";
import type { SshKeyPair } from "../../link/client/ssh_keys.ts";
import {
  shadowConfigMap,
  shadowSecret,
  type ShadowSpec,
  shadowWorkload,
} from "../shadow/shadow_objects.ts";
import type { ShareState } from "./share_state.ts";
import { type Share, shareAnnotations } from "./share_store.ts";

/** What its users need of the keys. */
export interface ShareKeys {
  readonly hostPublicKey: string;
  readonly clientPrivateKey: string;
}

/** Who makes the pod, and how: nobody runs the image that somebody else wrote down. */
export type ShareMaker = Pick<ShareState, "user" | "pod">;

export function shareSpec(
  state: ShareState,
  namespace: string,
  maker: ShareMaker,
): ShadowSpec {
  const { target, agent } = state;
  const { user } = maker;
  const { asDeployment } = state.pod;
  const pod = { ...maker.pod, asDeployment };
  return {
    name: SHARE_NAME,
    namespace,
    session: "",
    isShared: true,
    user,
    labels: { [ROLE]: "shadow-connect", [TARGET]: target },
    config: "",
    ports: [],
    agent,
    pod,
    unprivilegedPortStart: false,
  };
}

/**
 * The record of who shares the pod, and the keys. Here alone the client's private key is in the cluster:
 * all participants log in with it, so that whoever may read this Secret may use the pod, and see or
 * answer for the agent to the others. The pod itself is not given that key.
 */
export function shareSecret(
  state: ShareState,
  { namespace, host, client }: {
    namespace: string;
    host: SshKeyPair;
    client: SshKeyPair;
  },
): KubeObject {
  const secret = shadowSecret(shareSpec(state, namespace, state), {
    hostPrivateKey: host.privateKey,
    clientPublicKey: client.publicKey,
  });
  // it is the record as well, which changes
  delete secret["immutable"];
  Object.assign(secret.metadata.annotations!, shareAnnotations(state));
  Object.assign(secret["stringData"], {
    host_public_key: host.publicKey,
    client_key: client.privateKey,
  });
  return secret;
}

export function readKeys({ data }: KubeObject): ShareKeys {
  return {
    hostPublicKey: atob(data?.host_public_key ?? ""),
    clientPrivateKey: atob(data?.client_key ?? ""),
  };
}

export function shareConfigMap(
  { state, secret }: Share,
  agentSource: string,
  maker: ShareMaker,
): KubeObject {
  const spec = shareSpec(state, secret.metadata.namespace ?? "", maker);
  return owned(shadowConfigMap(spec, agentSource), secret);
}

export function shareWorkload(
  { state, secret }: Share,
  source: string,
  { maker, now }: { maker: ShareMaker; now: number },
): KubeObject {
  const spec = shareSpec(state, secret.metadata.namespace ?? "", maker);
  const { hostPublicKey } = readKeys(secret);
  const clientPublicKey = atob(secret.data?.authorized_key ?? "");
  const parts = {
    source,
    keysDigest: keysDigest(hostPublicKey, clientPublicKey),
  };
  const workload = owned(shadowWorkload(spec, parts, now), secret);
  workload.metadata.annotations![REF_COUNT] = String(state.sharers.length);
  return workload;
}

export function shareConfigMapRef(namespace: string): ObjectRef {
  return { resource: CONFIG_MAPS, name: SHARE_NAME, namespace };
}

export function shareWorkloadRef(
  { pod }: ShareState,
  namespace: string,
): ObjectRef {
  const resource = pod.asDeployment ? DEPLOYMENTS : PODS;
  return { resource, name: SHARE_NAME, namespace };
}

/** Without the record nothing of it can stay: what somebody made too late goes by itself. */
function owned(object: KubeObject, { metadata }: KubeObject): KubeObject {
  object.metadata.ownerReferences = [{
    apiVersion: "v1",
    kind: "Secret",
    name: metadata.name,
    uid: metadata.uid ?? "",
  }];
  return object;
}
