/** What of a cluster stands on command lines. */
import {
  findSetting,
  type SettingSources,
} from "../../commands/settings/apply_settings.ts";
import { readRouter } from "../../cluster/router/router_record.ts";
import { servicePorts } from "../../cluster/service/expose.ts";
import { KtctlError } from "../../core/errors.ts";
import { isMade, routerName } from "../../kube/annotations.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import type { KubeTargetOptions } from "../../kube/kubeconfig/kube_target.ts";
import { readKubeconfigs } from "../../kube/kubeconfig/kubeconfig_files.ts";
import { CONFIG_MAPS, NAMESPACES, SERVICES } from "../../kube/resources.ts";

/** A value, and what it is. */
export interface Candidate {
  readonly value: string;
  readonly text?: string;
}

/** Whoever waits longer for a word has typed it. */
const DEADLINE_MS = 300;
/** For those whose cluster is far away: milliseconds. */
const DEADLINE_VARIABLE = "KTCTL_COMPLETION_DEADLINE";

export class ClusterWords {
  readonly #target: KubeTargetOptions | undefined;

  /**
   * @param given The flags of the command line.
   * @param sources Where the others come from.
   */
  constructor(
    given: Readonly<Record<string, unknown>>,
    sources: SettingSources,
  ) {
    const target: Record<string, unknown> = { env: Deno.env.toObject() };
    let isRefused = false;
    for (const name of ["kubeconfig", "context", "namespace"]) {
      const found = findSetting({ group: "global", name }, sources);
      target[name] = given[name] ?? found?.value;
      // another cluster's words would be wrong
      isRefused ||= given[name] === undefined && found?.refusal !== undefined;
    }
    this.#target = isRefused
      ? undefined
      : target as unknown as KubeTargetOptions;
  }

  async contexts(): Promise<Candidate[]> {
    if (this.#target === undefined) return [];
    const { contexts, current } = await readKubeconfigs(this.#target) ?? {};
    return [...contexts ?? []].map(([value]) => ({
      value,
      text: value === current ? "current context" : "context",
    }));
  }

  namespaces(): Promise<Candidate[]> {
    return this.#ask(async (kube, signal) => {
      const all = await kube.list(NAMESPACES, { signal, metadataOnly: true });
      return all.map(({ metadata }) => ({
        value: metadata.name,
        text: "namespace",
      }));
    });
  }

  services(): Promise<Candidate[]> {
    return this.#ask(async (kube, signal) => {
      const all = await kube.list(SERVICES, { signal, metadataOnly: true });
      return all.filter((one) => !isMade(one)).map(({ metadata }) => ({
        value: metadata.name,
        text: "Service",
      }));
    });
  }

  /** @param name As on the command line: `web`, `svc/web`. */
  ports(name: string): Promise<Candidate[]> {
    return this.#ask(async (kube, signal) => {
      const service = await kube.get(
        { resource: SERVICES, name: bareName(name) },
        { signal },
      );
      return servicePorts(service).map(({ port, name }) => ({
        value: String(port),
        text: name ? `port ${name}` : "port",
      }));
    });
  }

  /** Those that somebody has at the Service's router. */
  marks(name: string): Promise<Candidate[]> {
    return this.#ask(async (kube, signal) => {
      const record = await kube.get(
        { resource: CONFIG_MAPS, name: routerName(bareName(name)) },
        { signal },
      );
      const read = readRouter(record);
      if (read.reason !== undefined) return [];
      return read.value.participants.map(({ mark, user }) => ({
        value: `${mark.key}:${mark.value}`,
        text: `in use by ${user}`,
      }));
    });
  }

  /**
   * What the cluster says in time. Where a credential plugin or a sign-in would be needed it is not asked: these may
   * ask the user something, or open a browser.
   */
  async #ask(
    work: (kube: KubeApi, signal: AbortSignal) => Promise<Candidate[]>,
  ): Promise<Candidate[]> {
    const target = this.#target;
    if (target === undefined) return [];
    const [{ connectKube }, { loadKubeTarget }] = await Promise.all([
      import("../../kube/connect_kube.ts"),
      import("../../kube/kubeconfig/kubeconfig.ts"),
    ]);
    const signal = AbortSignal.timeout(deadlineMs());
    const late = new Promise<Candidate[]>((resolve) =>
      signal.addEventListener("abort", () => resolve([]), { once: true })
    );
    const asked = async () => {
      const { user } = await loadKubeTarget(target);
      if (user.exec !== undefined || user.authProvider !== undefined) return [];
      const kube = await connectKube({ ...target, signal });
      return await work(kube, signal);
    };
    // there is nobody to tell of it: whoever goes on typing gets it from the command
    const answered = asked().catch((error) => {
      if (error instanceof KtctlError) return [];
      throw error;
    });
    return await Promise.race([answered, late]);
  }
}

/** At most 10 s. What is no number is none. */
function deadlineMs(): number {
  const text = Deno.env.get(DEADLINE_VARIABLE) ?? "";
  return /^\d{1,5}$/.test(text) ? Math.min(Number(text), 10_000) : DEADLINE_MS;
}

function bareName(name: string): string {
  return name.split("/").at(-1)!;
}
