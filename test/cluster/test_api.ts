// Requests to the API server without a process for each: `kubectl` costs more than what it asks.
import { parse } from "yaml";

/** What an API server serves in namespaces and lists: the path of each, but for the namespace. */
interface NamespacedResource {
  /** e.g. `deployments.apps`. */
  readonly name: string;
  /** e.g. `/apis/apps/v1`. */
  readonly base: string;
  readonly plural: string;
}

interface ResourceList {
  readonly resources: readonly {
    name: string;
    namespaced: boolean;
    verbs: readonly string[];
  }[];
}

interface GroupList {
  readonly groups: readonly { preferredVersion: { groupVersion: string } }[];
}

/** What the API server refused. */
export class TestApiError extends Error {
  /** Of HTTP: 409 where somebody else was faster. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(`${status} ${message}`);
    this.status = status;
  }
}

/** A patch is a list of operations, or what is to be merged. */
function contentType(method: string, body: unknown): string {
  if (method !== "PATCH") return "application/json";
  const kind = Array.isArray(body) ? "json-patch" : "merge-patch";
  return `application/${kind}+json`;
}

/** As the user of a kubeconfig's current context, who has a client's certificate. */
export class TestApi {
  readonly #server: string;
  readonly #credentials: Deno.CreateHttpClientOptions & Deno.TlsCertifiedKeyPem;
  /** One for all requests, which share its connections. */
  #client: Deno.HttpClient;
  #resources: Promise<NamespacedResource[]> | undefined;

  constructor(kubeconfig: string) {
    const config = parse(Deno.readTextFileSync(kubeconfig));
    const named = (list: readonly { name: string }[], name: string) =>
      // deno-lint-ignore no-explicit-any -- of any kubeconfig
      list.find((one) => one.name === name) as any;
    const { context } = named(config.contexts, config["current-context"]);
    const { cluster } = named(config.clusters, context.cluster);
    const { user } = named(config.users, context.user);
    const pem = (data: string | undefined, file: string) =>
      data === undefined ? Deno.readTextFileSync(file) : atob(data);
    this.#server = cluster.server;
    this.#credentials = {
      caCerts: [pem(
        cluster["certificate-authority-data"],
        cluster["certificate-authority"],
      )],
      cert: pem(user["client-certificate-data"], user["client-certificate"]),
      key: pem(user["client-key-data"], user["client-key"]),
    };
    this.#client = Deno.createHttpClient(this.#credentials);
  }

  /** One request; undefined where there is no such thing. */
  // deno-lint-ignore no-explicit-any -- Kubernetes' own shapes
  async request(method: string, path: string, body?: unknown): Promise<any> {
    const response = await this.#fetch(path, {
      method,
      ...(body === undefined ? {} : {
        body: JSON.stringify(body),
        headers: { "content-type": contentType(method, body) },
      }),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    if (response.status === 404) return undefined;
    throw new TestApiError(`${method} ${path}: ${text}`, response.status);
  }

  /** What was read by a connection of an API server that is gone is read once more by a new one. */
  async #fetch(path: string, init: RequestInit): Promise<Response> {
    const client = this.#client;
    const attempt = (client: Deno.HttpClient) =>
      fetch(`${this.#server}${path}`, {
        ...init,
        client,
        signal: AbortSignal.timeout(30_000),
      });
    try {
      return await attempt(client);
    } catch (error) {
      if (init.method !== "GET" || !(error instanceof TypeError)) throw error;
      if (this.#client === client) {
        this.#client = Deno.createHttpClient(this.#credentials);
      }
      return await attempt(this.#client);
    }
  }

  /** What kinds there are is asked anew for the next snapshot: some were added. */
  forgetKinds(): void {
    this.#resources = undefined;
  }

  /** What can be listed in a namespace, each in its preferred version. */
  async #namespacedResources(): Promise<NamespacedResource[]> {
    const get = (path: string) => this.request("GET", path);
    const { groups } = await get("/apis") as GroupList;
    const bases = [
      "/api/v1",
      ...groups.map(({ preferredVersion: { groupVersion } }) =>
        `/apis/${groupVersion}`
      ),
    ];
    const lists = await Promise.all(bases.map(async (base) => {
      const group = base.split("/").slice(2, -1).map((name) => `.${name}`);
      const { resources } = await get(base) as ResourceList;
      return resources
        .filter(({ name, namespaced, verbs }) =>
          namespaced && verbs.includes("list") && !name.includes("/")
        )
        .map(({ name }) => ({ name: name + group, base, plural: name }));
    }));
    return lists.flat();
  }

  /**
   * All objects of a namespace, but for the kinds that are left out by their names. What kinds there
   * are is asked once; one that is served no more has no objects.
   */
  async objects(
    namespace: string,
    leftOut: ReadonlySet<string>,
    // deno-lint-ignore no-explicit-any -- as above
  ): Promise<any[]> {
    const all = await (this.#resources ??= this.#namespacedResources());
    const resources = all.filter(({ name }) => !leftOut.has(name));
    const lists = await Promise.all(resources.map(async ({ base, plural }) => {
      const path = `${base}/namespaces/${namespace}/${plural}`;
      const list = await this.request("GET", path);
      if (list === undefined) return [];
      // an item of a list does not say what it is
      const { apiVersion, kind, items } = list;
      const its = { apiVersion, kind: kind.replace(/List$/, "") };
      return items.map((item: object) => ({ ...its, ...item }));
    }));
    return lists.flat();
  }
}
