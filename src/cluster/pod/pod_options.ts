import type { Toleration } from "./toleration.ts";

/** The global options that shape every pod we make. */
export interface PodOptions {
  /** @default {@link SHADOW_IMAGE} */
  readonly image: string;
  readonly imagePullPolicy: "Always" | "IfNotPresent";
  readonly imagePullSecret?: string;
  readonly serviceAccount?: string;
  readonly nodeSelector: Readonly<Record<string, string>>;
  /** The only node that it may be on. @default any that the selector allows */
  readonly nodeName?: string;
  /** One that it is not to be on, where there is another. */
  readonly notOnNode?: string;
  readonly tolerations: readonly Toleration[];
  /** As everything that is made gets them (`stamped.ts`). */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Requests and limits alike, e.g. `{ cpu: "0.5", memory: "512Mi" }`. */
  readonly quota: Readonly<Record<string, string>>;
  readonly asDeployment: boolean;
}

export const SHADOW_IMAGE = "denoland/deno:2.9.6";
export const ROUTER_IMAGE = "haproxy:2.6";

/** Where the user says nothing. */
export const DEFAULT_POD: PodOptions = {
  image: SHADOW_IMAGE,
  imagePullPolicy: "IfNotPresent",
  nodeSelector: {},
  tolerations: [],
  labels: {},
  annotations: {},
  quota: {},
  asDeployment: false,
};
