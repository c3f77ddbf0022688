import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import {
  Cancelled,
  ClusterError,
  NotFoundError,
  PermissionError,
} from "../../../src/core/errors.ts";
import type {
  KubeObject,
  WatchEvent,
  WatchOptions,
} from "../../../src/kube/kube_api.ts";
import { CONFIG_MAPS } from "../../../src/kube/resources.ts";
import type { WatchTiming } from "../../../src/kube/watch.ts";
import {
  type Answer,
  clientOf,
  FakeApiServer,
  json,
  refusal,
} from "./fake_api_server.ts";

function object(name: string, version: string, uid = name): KubeObject {
  return {
    metadata: { name, namespace: "shop", uid, resourceVersion: version },
  };
}

/** A list of `objects` as of `version`. */
function listing(version: string, ...items: KubeObject[]): Answer {
  return json({ metadata: { resourceVersion: version }, items });
}

/** A watch connection that does what `act` says with the open answer. */
function watching(act: (response: ServerResponse) => void): Answer {
  return (_request, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.flushHeaders();
    act(response);
  };
}

function line(type: string, object: unknown): string {
  return JSON.stringify({ type, object }) + "\n";
}

const stayOpen = watching(() => {});

interface Session extends AsyncDisposable {
  readonly server: FakeApiServer;
  readonly interruptions: string[];
  readonly waits: number[];
  /** The next events, as `ADDED a@1` or `SYNCED`. */
  next(count: number): Promise<string[]>;
  readonly stop: AbortController;
  readonly events: AsyncIterator<WatchEvent>;
}

/** A watch of config maps on a server with these answers; backoff never waits, but is counted. */
async function follow(
  answers: readonly Answer[],
  timing: WatchTiming & Pick<WatchOptions, "isPatient"> = {},
): Promise<Session> {
  const { isPatient = false, ...watchTiming } = timing;
  const server = await FakeApiServer.start(answers);
  const client = clientOf(server.url, {
    watchTiming: {
      backoff: (attempt) => {
        waits.push(attempt);
        // A watch that never gets back must fail its test, not hang it.
        if (waits.length > 20) stop.abort();
        return Promise.resolve();
      },
      ...watchTiming,
    },
  });
  const stop = new AbortController();
  const interruptions: string[] = [];
  const waits: number[] = [];
  const events = client.watch(CONFIG_MAPS, {
    signal: stop.signal,
    isPatient,
    onInterrupted: (reason) => interruptions.push(reason),
  })[Symbol.asyncIterator]();
  return {
    server,
    interruptions,
    waits,
    stop,
    events,
    async next(count) {
      const seen: string[] = [];
      while (seen.length < count) {
        const { done, value } = await soon(events.next());
        if (done) return [...seen, "done"];
        seen.push(
          value.type === "SYNCED"
            ? "SYNCED"
            : `${value.type} ${value.object.metadata.name}@${value.object.metadata.resourceVersion}`,
        );
      }
      return seen;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await events.return?.();
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** What a broken watch never gives must fail its test, not hang it. */
async function soon<T>(promise: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new assert.AssertionError({ message: "No event came" })),
    5000,
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The query of the n-th request. */
function query(session: Session, index: number): URLSearchParams {
  return new URL(session.server.requests[index]!.url, "http://x").searchParams;
}

Deno.test("watch lists first, says SYNCED, then reports each change as it comes", async () => {
  await using session = await follow([
    listing("5", object("a", "3")),
    watching((response) => {
      response.write(line("ADDED", object("b", "6")));
      response.write(line("MODIFIED", object("a", "7")));
      response.write(line("DELETED", object("b", "8")));
    }),
  ]);
  assert.deepEqual(await session.next(5), [
    "ADDED a@3",
    "SYNCED",
    "ADDED b@6",
    "MODIFIED a@7",
    "DELETED b@8",
  ]);
  assert.equal(query(session, 0).get("watch"), null);
  assert.equal(query(session, 1).get("watch"), "1");
  assert.equal(query(session, 1).get("resourceVersion"), "5");
  assert.equal(query(session, 1).get("allowWatchBookmarks"), "true");
});

Deno.test("watch reads an event that is cut across packets", async () => {
  const text = line("ADDED", object("käse", "6"));
  const bytes = new TextEncoder().encode(text);
  const middle = bytes.indexOf(0xc3) + 1;
  await using session = await follow([
    listing("5"),
    watching((response) => {
      response.write(bytes.subarray(0, middle), () => {
        response.write(bytes.subarray(middle));
      });
    }),
  ]);
  assert.deepEqual(await session.next(2), ["SYNCED", "ADDED käse@6"]);
});

Deno.test("watch goes on from the last bookmark when the server ends it", async () => {
  await using session = await follow([
    listing("5"),
    watching((response) => response.end(line("BOOKMARK", object("", "9")))),
    watching((response) => response.write(line("ADDED", object("b", "10")))),
  ]);
  assert.deepEqual(await session.next(2), ["SYNCED", "ADDED b@10"]);
  assert.equal(query(session, 2).get("watch"), "1");
  assert.equal(query(session, 2).get("resourceVersion"), "9");
  assert.deepEqual(session.interruptions, []);
});

Deno.test("watch goes on from the last event after a connection reset", async () => {
  await using session = await follow([
    listing("5"),
    watching((response) =>
      response.write(
        line("ADDED", object("a", "6")),
        () => response.socket?.resetAndDestroy(),
      )
    ),
    watching((response) => response.write(line("MODIFIED", object("a", "7")))),
  ]);
  assert.deepEqual(await session.next(3), [
    "SYNCED",
    "ADDED a@6",
    "MODIFIED a@7",
  ]);
  assert.equal(query(session, 2).get("resourceVersion"), "6");
  assert.equal(session.interruptions.length, 1);
  assert.match(session.interruptions[0]!, /connection was cut/);
});

for (
  const [how, gone] of [
    ["410 Gone", refusal(410, { reason: "Expired", message: "too old" })],
    [
      "an ERROR event",
      watching((response) =>
        response.end(
          line("ERROR", { kind: "Status", code: 410, message: "too old" }),
        )
      ),
    ],
  ] as const
) {
  Deno.test(`watch reports what changed while it was cut off (${how})`, async () => {
    await using session = await follow([
      listing(
        "5",
        object("same", "1"),
        object("old", "2"),
        object("moved", "3"),
        object("again", "4"),
      ),
      gone,
      listing(
        "50",
        object("same", "1"),
        object("moved", "30"),
        object("again", "40", "other"),
        object("new", "41"),
      ),
      stayOpen,
    ]);
    await session.next(5);
    assert.deepEqual(await session.next(5), [
      "DELETED old@2",
      "DELETED again@4",
      "MODIFIED moved@30",
      "ADDED again@40",
      "ADDED new@41",
    ]);
    assert.match(session.interruptions[0]!, /too old/);
  });
}

Deno.test("watch cuts a connection that stays silent past its time, and goes on", async () => {
  await using session = await follow([
    listing("5"),
    stayOpen,
    watching((response) => response.write(line("ADDED", object("a", "6")))),
  ], { watchSeconds: 0, overdueMs: 30 });
  assert.deepEqual(await session.next(2), ["SYNCED", "ADDED a@6"]);
  assert.match(session.interruptions[0]!, /sent nothing for too long/);
  assert.equal(query(session, 2).get("resourceVersion"), "5");
});

Deno.test("watch waits longer with each attempt, and starts over after a success", async () => {
  const fail = refusal(500, { message: "no leader" });
  await using session = await follow([
    listing("5"),
    fail,
    fail,
    listing("6"),
    fail,
    listing("7"),
    watching((response) => response.end(line("ADDED", object("a", "8")))),
    fail,
    listing("9", object("a", "9")),
    stayOpen,
  ]);
  assert.deepEqual(await session.next(3), [
    "SYNCED",
    "ADDED a@8",
    "MODIFIED a@9",
  ]);
  assert.deepEqual(session.waits, [0, 1, 2, 0, 1]);
});

Deno.test("watch does not ask in a tight loop a server that ends it at once", async () => {
  const end = watching((response) => response.end());
  await using session = await follow([
    listing("5"),
    end,
    end,
    end,
    watching((response) => response.write(line("ADDED", object("a", "6")))),
  ]);
  await session.next(2);
  assert.deepEqual(session.waits, [0, 1, 2]);
});

Deno.test("watch ends silently when its signal aborts, also while it waits", async () => {
  await using session = await follow([listing("5"), stayOpen]);
  assert.deepEqual(await session.next(1), ["SYNCED"]);
  const pending = session.next(1);
  session.stop.abort(new Cancelled("stop"));
  assert.deepEqual(await pending, ["done"]);
});

Deno.test("watch ends silently when its signal aborts while its caller looks at what was listed", async () => {
  await using session = await follow([listing("1"), stayOpen]);
  assert.deepEqual(await session.next(1), ["SYNCED"]);
  session.stop.abort();
  assert.equal((await soon(session.events.next())).done, true);
  assert.deepEqual(session.interruptions, []);
});

Deno.test("watch ends silently when its signal aborts during backoff", async () => {
  const waiting = Promise.withResolvers<void>();
  await using session = await follow(
    [listing("5"), refusal(500, { message: "no" })],
    {
      backoff: (_attempt, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve());
          waiting.resolve();
        }),
    },
  );
  await session.next(1);
  const pending = session.next(1);
  await waiting.promise;
  session.stop.abort();
  assert.deepEqual(await pending, ["done"]);
});

Deno.test("a caller that stops iterating closes the connection", async () => {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  await using session = await follow([
    listing("5"),
    watching((response) => {
      response.on("close", resolve);
      response.write(line("ADDED", object("a", "6")));
    }),
  ]);
  await session.next(2);
  await session.events.return?.();
  await closed;
});

for (
  const [what, answer, type] of [
    ["403", refusal(403, { message: "no" }), PermissionError],
    ["401", refusal(401, { message: "no" }), PermissionError],
    [
      "404",
      refusal(404, { message: "no", details: { name: "x", kind: "y" } }),
      NotFoundError,
    ],
    ["500", refusal(500, { message: "no" }), ClusterError],
  ] as const
) {
  Deno.test(`a first list that fails with ${what} fails the watch`, async () => {
    await using session = await follow([answer]);
    await assert.rejects(session.next(1), type);
    assert.deepEqual(session.interruptions, []);
  });
}

Deno.test("a watch beside a session that is under way outlives an outage at its first list, and no refusal", async () => {
  await using session = await follow([
    refusal(500, { message: "no" }),
    listing("5", object("a", "5")),
    watching(() => {}),
  ], { isPatient: true });
  assert.deepEqual(await session.next(2), ["ADDED a@5", "SYNCED"]);
  assert.equal(session.interruptions.length, 1);
  await using refused = await follow([refusal(403, { message: "no" })], {
    isPatient: true,
  });
  await assert.rejects(refused.next(1), PermissionError);
});

Deno.test("a user who may list but not watch is told so", async () => {
  await using session = await follow([
    listing("5"),
    refusal(403, { message: "no" }),
  ]);
  await assert.rejects(session.next(2), PermissionError);
});

Deno.test("a permission lost later does not end the watch", async () => {
  await using session = await follow([
    listing("5"),
    watching((response) => response.end(line("ADDED", object("a", "6")))),
    refusal(403, {
      message:
        'pods is forbidden: User "dev" cannot watch resource "pods" in API group "" in the namespace "shop"',
    }),
    listing("7", object("a", "7")),
    stayOpen,
  ]);
  assert.deepEqual(await session.next(3), [
    "SYNCED",
    "ADDED a@6",
    "MODIFIED a@7",
  ]);
});
