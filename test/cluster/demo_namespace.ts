// Namespaces with the demo that go from test to test: one that is as it was is as good as a new one, and
// a new one costs more than many tests do with it.
import { createHash } from "node:crypto";
import type { TestNamespace } from "./cluster.ts";
import { type TestApi, TestApiError } from "./test_api.ts";

/** Label: has the demo, with so many replicas. */
const DEMO = "ktctl.test/demo";
/** Label: nobody has it. */
const FREE = "ktctl.test/free";
/** Annotation: what it was like when the demo had just been applied. */
const STATE = "ktctl.test/state";

/** How long the pods of a test may take to go. */
const GONE_WITHIN_MS = 3_000;

/** @internal */
export interface DemoNamespace extends TestNamespace {
  /** Returns when the Service `web` answers. */
  demoAnswers(): Promise<void>;
}

interface Namespaces {
  readonly replicas: number;
  make(labels: Readonly<Record<string, string>>): Promise<DemoNamespace>;
  open(name: string): DemoNamespace;
}

/** A free one, or a new one. */
export async function openDemo(
  api: TestApi,
  { replicas, make, open }: Namespaces,
): Promise<TestNamespace> {
  for (let found; (found = await take(api, replicas)) !== undefined;) {
    const namespace = open(found.name);
    try {
      await namespace.demoAnswers();
      return lend(api, { namespace, replicas, state: found.state });
    } catch {
      // a test of the cluster's own parts may have taken its pods
      await namespace[Symbol.asyncDispose]();
    }
  }
  const namespace = await make({ [DEMO]: String(replicas) });
  try {
    await namespace.applyDemo({ replicas });
    const state = await stateOf(api, namespace);
    return lend(api, { namespace, replicas, state });
  } catch (error) {
    await namespace[Symbol.asyncDispose]();
    throw error;
  }
}

interface Lent {
  readonly namespace: DemoNamespace;
  readonly replicas: number;
  readonly state: string;
}

/** At its end it becomes free, or is deleted. */
function lend(
  api: TestApi,
  { namespace, replicas, state }: Lent,
): TestNamespace {
  const { name, [Symbol.asyncDispose]: remove } = namespace;
  const isAsBefore = async () =>
    await hasItsPodsAlone(api, name, replicas) &&
    await stateOf(api, namespace) === state;
  return {
    ...namespace,
    async [Symbol.asyncDispose]() {
      if (await isAsBefore().catch(() => false)) await free(api, name, state);
      else await remove(); // also where it is not known what it is like
    },
  };
}

/** One that nobody has; of several tests that ask one gets it. */
async function take(
  api: TestApi,
  replicas: number,
): Promise<{ name: string; state: string } | undefined> {
  const selector = encodeURIComponent(`${FREE},${DEMO}=${replicas}`);
  const path = "/api/v1/namespaces";
  const list = await api.request("GET", `${path}?labelSelector=${selector}`);
  for (const object of list.items) {
    const { name, labels, annotations, deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined) continue;
    delete labels[FREE];
    try {
      await api.request("PUT", `${path}/${name}`, object);
    } catch (error) {
      if (error instanceof TestApiError && error.status === 409) continue;
      throw error;
    }
    return { name, state: annotations[STATE] };
  }
  return undefined;
}

async function free(
  api: TestApi,
  name: string,
  state: string,
): Promise<void> {
  const path = `/api/v1/namespaces/${name}`;
  const object = await api.request("GET", path);
  object.metadata.labels[FREE] = "yes";
  object.metadata.annotations = {
    ...object.metadata.annotations,
    [STATE]: state,
  };
  await api.request("PUT", path, object);
}

/** Of all that is in it, and what it says itself. */
async function stateOf(
  api: TestApi,
  namespace: TestNamespace,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace.name}`;
  const { labels, annotations = {} } =
    (await api.request("GET", path)).metadata;
  const { [STATE]: _, ...own } = annotations;
  const text = JSON.stringify([labels, own, await namespace.snapshot()]);
  return createHash("sha256").update(text).digest("hex");
}

/** Snapshots leave out the pods that a controller makes. Those that are going may go. */
async function hasItsPodsAlone(
  api: TestApi,
  name: string,
  replicas: number,
): Promise<boolean> {
  for (const end = Date.now() + GONE_WITHIN_MS;;) {
    const path = `/api/v1/namespaces/${name}/pods`;
    const pods: Pod[] = (await api.request("GET", path)).items;
    const staying = pods.filter(({ metadata }) =>
      metadata.deletionTimestamp === undefined
    );
    if (staying.length !== replicas || !staying.every(isAsNew)) return false;
    if (staying.length === pods.length) return true;
    if (Date.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

interface Pod {
  readonly metadata: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly status: {
    readonly containerStatuses?: readonly {
      readonly ready: boolean;
      readonly restartCount: number;
    }[];
  };
}

function isAsNew({ metadata, status }: Pod): boolean {
  const { containerStatuses = [] } = status;
  return metadata.labels?.["app"] === "web" && containerStatuses.length === 1 &&
    containerStatuses.every(({ ready, restartCount }) =>
      ready && restartCount === 0
    );
}
