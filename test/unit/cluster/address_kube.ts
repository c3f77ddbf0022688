// A cluster of which only the addresses count, seen with few rights or many.
import { apiError } from "../../../src/kube/api_errors.ts";
import type {
  CreateOptions,
  KubeObject,
  ListOptions,
  Resource,
  WatchEvent,
  WatchOptions,
} from "../../../src/kube/kube_api.ts";
import { MemoryKube } from "../../fakes/memory_kube.ts";

export class AddressKube extends MemoryKube {
  override readonly server: string = "https://api.example:6443";
  /** By `apiVersion/plural`; what is not here is not served. */
  objects: Record<string, KubeObject[]> = {
    "v1/nodes": [],
    "v1/pods": [],
    "v1/services": [],
  };
  /** `verb plural`, for all namespaces or a kind without; and `verb plural namespace`. */
  forbidden = new Set<string>();
  /** What the server says to a cluster IP. */
  refusal: (clusterIP: string) => string = () => "no words";
  peerAddresses: string[] = [];
  /** As old servers: a dry run takes any cluster IP. */
  isLaxInDryRun = false;
  readonly calls: string[] = [];
  #watches: { key: string; push: (event: WatchEvent) => void }[] = [];

  peers(): string[] {
    return this.peerAddresses;
  }

  override list(
    resource?: Resource,
    options: ListOptions = {},
  ): Promise<KubeObject[]> {
    return Promise.try(() => this.#read("list", resource!, options.namespace));
  }

  /** What a group serves, which every user may ask. */
  raw(path: string): Promise<unknown> {
    const group = path.replace("/apis/", "");
    const resources = Object.keys(this.objects)
      .filter((key) => key.startsWith(`${group}/`))
      .map((key) => ({ name: key.slice(group.length + 1) }));
    return Promise.resolve({ resources });
  }

  create(
    resource: Resource,
    { metadata: { name }, spec }: KubeObject,
    options: CreateOptions = {},
  ): Promise<KubeObject> {
    return Promise.try(() => {
      this.calls.push(options.dryRun ? "dry run" : "create");
      if (options.dryRun && this.isLaxInDryRun) return { metadata: { name } };
      this.#check("create", resource, this.namespace);
      const message = this.refusal(spec.clusterIP);
      throw apiError({
        code: 422,
        body: JSON.stringify({
          kind: "Status",
          reason: "Invalid",
          message: `Service "${name}" is invalid: ${message}`,
        }),
      }, { action: "create", resource, name });
    });
  }

  async *watch(
    resource: Resource,
    { namespace, signal }: WatchOptions,
  ): AsyncGenerator<WatchEvent> {
    for (const object of this.#read("watch", resource, namespace)) {
      yield { type: "ADDED", object };
    }
    const events: WatchEvent[] = [{ type: "SYNCED" }];
    let wake = () => {};
    this.#watches.push({
      key: keyOf(resource),
      push: (event) => {
        events.push(event);
        wake();
      },
    });
    signal.addEventListener("abort", () => wake());
    while (!signal.aborted) {
      for (let event; (event = events.shift());) yield event;
      await new Promise<void>((resolve) => wake = resolve);
    }
  }

  /** Tells every watch of the kind. */
  add(resource: Resource, object: KubeObject): void {
    for (const { key, push } of this.#watches) {
      if (key === keyOf(resource)) push({ type: "ADDED", object });
    }
  }

  #read(verb: string, resource: Resource, namespace?: string): KubeObject[] {
    const place = resource.namespaced ? namespace ?? this.namespace : "";
    const call = [verb, resource.plural, place].join(" ").trim();
    this.calls.push(call);
    this.#check(verb, resource, place);
    const found = this.objects[keyOf(resource)];
    if (found === undefined) {
      throw apiError({ code: 404, body: "404 page not found\n" }, {
        action: verb,
        resource,
      });
    }
    return found.filter(({ metadata }) =>
      place === "" || (metadata.namespace ?? "test") === place
    );
  }

  #check(verb: string, { plural }: Resource, place: string): void {
    if (!this.forbidden.has([verb, plural, place].join(" ").trim())) return;
    throw apiError({
      code: 403,
      body: JSON.stringify({
        kind: "Status",
        reason: "Forbidden",
        message:
          `${plural} is forbidden: User "jane" cannot ${verb} resource "${plural}" in API group "" at the cluster scope`,
      }),
    }, { action: verb });
  }
}

function keyOf({ apiVersion, plural }: Resource): string {
  return `${apiVersion}/${plural}`;
}

export function service(clusterIPs: string[], namespace = "test"): KubeObject {
  const name = `svc-${clusterIPs.join("-")}`;
  const [clusterIP] = clusterIPs;
  return { metadata: { name, namespace }, spec: { clusterIP, clusterIPs } };
}

export function pod(
  podIPs: string[],
  { namespace = "test", spec = {}, phase = "Running" } = {},
): KubeObject {
  return {
    metadata: { name: `pod-${podIPs.join("-")}`, namespace },
    spec,
    status: { phase, podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) },
  };
}

export function node(podCIDRs: string[]): KubeObject {
  const [podCIDR] = podCIDRs;
  return { metadata: { name: `node-${podCIDR}` }, spec: { podCIDR, podCIDRs } };
}
