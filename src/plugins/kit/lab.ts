/** What the labs of both kits begin with: a cluster, and a scope whose journal is kept in memory. */
import { DEFAULT_POD, type PodOptions } from "../../cluster/pod/pod_options.ts";
import type { Report } from "../../core/report.ts";
import { connectKube } from "../../kube/connect_kube.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import type { Scope } from "../../undo/scope.ts";
import { openTestingScope } from "./testing_scope.ts";

export const POD_TIMEOUT_MS = 60_000;
export const LINK_TIMEOUT_MS = 10_000;

/** Which cluster, and what our pods are to be. */
export interface LabOptions {
  /** Path of a kubeconfig file. @default kubectl's rules */
  readonly kubeconfig?: string;
  /** @default the kubeconfig's current one */
  readonly context?: string;
  /** @default the context's own */
  readonly namespace?: string;
  /** Of the Shadow Pod: any with Deno in it. */
  readonly image?: string;
  /** One that is open already, instead of what the kubeconfig tells. */
  readonly kube?: KubeApi;
  /** What our pods are to be. @default as without any option, with the image */
  readonly pod?: PodOptions;
}

export interface Lab {
  readonly kube: KubeApi;
  readonly scope: Scope<World>;
  readonly pod: PodOptions;
  close(): Promise<void>;
}

export const silent: Report = {
  event() {},
  warn() {},
  debug() {},
  step: (_name, work) => work(),
};

/** Throws what the commands would. */
export async function openLab(options: LabOptions): Promise<Lab> {
  const { kubeconfig, context, namespace, image = DEFAULT_POD.image } = options;
  const end = new AbortController();
  const kube = options.kube ?? await connectKube({
    ...{ kubeconfig, context, namespace },
    signal: end.signal,
  });
  const { scope } = openTestingScope({ kube });
  return {
    kube,
    scope,
    pod: options.pod ?? { ...DEFAULT_POD, image },
    async close() {
      try {
        await scope.dispose();
      } finally {
        end.abort();
      }
    },
  };
}
