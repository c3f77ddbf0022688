// Requests to the API server without a process for each: `kubectl` costs more than what it asks.
import { run, succeeded } from "./command.ts";

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

interface Account {
  readonly server: string;
  readonly credentials: Deno.CreateHttpClientOptions & Deno.TlsCertifiedKeyPem;
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

/** As the user of a kubeconfig, who has a client's certificate. */
export class TestApi {
  readonly #kubeconfig: string;
  /** Asked once, at the first request. */
  #account: Promise<Account> | undefined;
  #resources: Promise<NamespacedResource[]> | undefined;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
  }

  async #readAccount(): Promise<Account> {
    const view = ["config", "view", "--raw", "--minify", "-o", "json"];
    const { clusters: [{ cluster }], users: [{ user }] } = JSON.parse(
      succeeded(
        await run("kubectl", ["--kubeconfig", this.#kubeconfig, ...view]),
      ),
    );
    const pem = (data: string | undefined, file: string) =>
      data === undefined ? Deno.readTextFileSync(file) : atob(data);
    const credentials = {
      caCerts: [pem(
        cluster["certificate-authority-data"],
        cluster["certificate-authority"],
      )],
      cert: pem(user["client-certificate-data"], user["client-certificate"]),
      key: pem(user["client-key-data"], user["client-key"]),
    };
    return { server: cluster.server, credentials };
  }

  /** For requests that belong together: they share its connections. */
  async #connect(): Promise<Connection> {
    const { server, credentials } = await (this.#account ??= this
      .#readAccount());
    return new Connection(server, Deno.createHttpClient(credentials));
  }

  /** One request; undefined where there is no such thing. */
  // deno-lint-ignore no-explicit-any -- Kubernetes' own shapes
  async request(method: string, path: string, body?: unknown): Promise<any> {
    using connection = await this.#connect();
    return await connection.request(method, path, body);
  }

  /** What kinds there are is asked anew for the next snapshot: some were added. */
  forgetKinds(): void {
    this.#resources = undefined;
  }

  /** What can be listed in a namespace, each in its preferred version. */
  async #namespacedResources(): Promise<NamespacedResource[]> {
    using connection = await this.#connect();
    const get = (path: string) => connection.request("GET", path);
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
    using connection = await this.#connect();
    const lists = await Promise.all(resources.map(async ({ base, plural }) => {
      const path = `${base}/namespaces/${namespace}/${plural}`;
      const list = await connection.request("GET", path);
      if (list === undefined) return [];
      // an item of a list does not say what it is
      const { apiVersion, kind, items } = list;
      const its = { apiVersion, kind: kind.replace(/List$/, "") };
      return items.map((item: object) => ({ ...its, ...item }));
    }));
    return lists.flat();
  }
}

class Connection implements Disposable {
  readonly #server: string;
  readonly #client: Deno.HttpClient;

  constructor(server: string, client: Deno.HttpClient) {
    this.#server = server;
    this.#client = client;
  }

  // deno-lint-ignore no-explicit-any -- as above
  async request(method: string, path: string, body?: unknown): Promise<any> {
    const response = await fetch(`${this.#server}${path}`, {
      client: this.#client,
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
    throw new TestApiError(`${method} ${path}: ${text}`, response.status);
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}
