// Requests to the API server without a process for each: `kubectl` costs more than what it asks.
import { run, succeeded } from "./command.ts";

/** What an API server serves in namespaces and lists: the path of each, but for the namespace. */
export interface NamespacedResource {
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

type Credentials = Deno.CreateHttpClientOptions & Deno.TlsCertifiedKeyPem;

export class TestApi {
  readonly #server: string;
  readonly #credentials: Credentials;

  private constructor(server: string, credentials: Credentials) {
    this.#server = server;
    this.#credentials = credentials;
  }

  /** As the user of a kubeconfig, who has a client's certificate. */
  static async open(kubeconfig: string): Promise<TestApi> {
    const view = ["config", "view", "--raw", "--minify", "-o", "json"];
    const { clusters: [{ cluster }], users: [{ user }] } = JSON.parse(
      succeeded(await run("kubectl", ["--kubeconfig", kubeconfig, ...view])),
    );
    const pem = (data: string | undefined, file: string) =>
      data === undefined ? Deno.readTextFileSync(file) : atob(data);
    return new TestApi(cluster.server, {
      caCerts: [pem(
        cluster["certificate-authority-data"],
        cluster["certificate-authority"],
      )],
      cert: pem(user["client-certificate-data"], user["client-certificate"]),
      key: pem(user["client-key-data"], user["client-key"]),
    });
  }

  /** One request; undefined where there is no such thing. */
  // deno-lint-ignore no-explicit-any -- Kubernetes' own shapes
  async request(method: string, path: string, body?: unknown): Promise<any> {
    using client = Deno.createHttpClient(this.#credentials);
    return await this.#request(client, method, path, body);
  }

  /** What can be listed in a namespace, each in its preferred version. */
  async namespacedResources(): Promise<NamespacedResource[]> {
    using client = Deno.createHttpClient(this.#credentials);
    const get = (path: string) => this.#request(client, "GET", path);
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

  /** All objects of a namespace; a kind that is served no more has none. */
  async objects(
    namespace: string,
    resources: readonly NamespacedResource[],
    // deno-lint-ignore no-explicit-any -- as above
  ): Promise<any[]> {
    using client = Deno.createHttpClient(this.#credentials);
    const lists = await Promise.all(resources.map(async ({ base, plural }) => {
      const path = `${base}/namespaces/${namespace}/${plural}`;
      const list = await this.#request(client, "GET", path);
      if (list === undefined) return [];
      // an item of a list does not say what it is
      const { apiVersion, kind, items } = list;
      const its = { apiVersion, kind: kind.replace(/List$/, "") };
      return items.map((item: object) => ({ ...its, ...item }));
    }));
    return lists.flat();
  }

  async #request(
    client: Deno.HttpClient,
    method: string,
    path: string,
    body?: unknown,
    // deno-lint-ignore no-explicit-any -- as above
  ): Promise<any> {
    const response = await fetch(`${this.#server}${path}`, {
      client,
      method,
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : {
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      }),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text);
    if (response.status === 404) return undefined;
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  }
}
