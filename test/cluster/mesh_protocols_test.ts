// What a meshed Service carries: marked to the laptop, unmarked to the original, and what is not HTTP
// to the original as it is.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type ClientPod, openTestCluster, succeeded } from "./cluster.ts";
import { applyPrograms, type DenoPod, startDenoPod } from "./deno_pod.ts";
import { applyRawServers } from "./raw_workload.ts";
import { assertNoTrace, eventually, Laptop } from "./laptop.ts";
import { startRawServer } from "./programs/raw_server.ts";

const MIB = 1024 * 1024;

/** By each header or none: who is to answer. */
const bothWays = [
  { title: "marked", header: ["version: demo"], pod: "laptop" },
  { title: "unmarked", header: [], pod: "web-" },
] as const;

function curlHeaders(header: readonly string[]): string[] {
  return header.flatMap((one) => ["-H", one]);
}

function objectOf(header: readonly string[]): string {
  const pairs = header.map((one) => one.split(": "));
  return JSON.stringify(Object.fromEntries(pairs));
}

function answeredBy(text: string): string {
  return /demo pod=(laptop|other|web-)/.exec(text)?.[1] ?? text;
}

Deno.test("HTTP/1, HTTP/2, WebSocket and event streams of one port come here where marked, and stay as they are", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await Promise.all([namespace.applyDemo(), applyPrograms(namespace)]);
  const client = await namespace.client();
  const deno = await startDenoPod(cluster, namespace);
  await using laptop = await Laptop.open(cluster, namespace);
  await using other = await Laptop.open(cluster, namespace, "other");
  const before = await namespace.snapshot();
  const asSent = await requestAsSeen(client, []);
  // only one of two ports, by a named targetPort
  await using mesh = laptop.start([
    "mesh",
    "web",
    "--expose",
    `${laptop.demo.port}:80`,
    "--versionMark",
    "demo",
  ]);
  await mesh.ready();
  await using second = other.start([
    "mesh",
    "web",
    "--expose",
    `${other.demo.port}:80`,
    "--versionMark",
    "kt-mark:two",
  ]);
  await second.ready();
  const sh = async (command: string) =>
    succeeded(await client.exec(["sh", "-c", command], { timeout: 120_000 }));

  await t.step(
    "HTTP/1.1, by the header's name in any case and the exact value",
    async () => {
      const wanted = {
        "": "web-",
        "version: demo": "laptop",
        "Version: demo": "laptop",
        "VERSION:demo": "laptop",
        "version: demon": "web-",
        "version: dem": "web-",
        "version: Demo": "web-",
        "version: demo, other": "web-",
        "x-version: demo": "web-",
        "kt-mark: two": "other",
        "KT-Mark: two": "other",
        "x-kt-mark: two": "web-",
        "kt-mark: twofold": "web-",
        "kt-mark: |kt-mark=two|": "web-",
        "x: |kt-mark=two|": "web-",
        "x: a|kt-mark=two|b": "web-",
      };
      const answers: Record<string, string> = {};
      for (const header of Object.keys(wanted)) {
        const args = header === "" ? [] : ["-H", header];
        const output = succeeded(await client.curl(...args, "http://web/"));
        answers[header] = answeredBy(output);
      }
      assert.deepEqual(answers, wanted);
    },
  );

  await t.step("mixed marks on one connection, kept alive", async () => {
    const headers = ["version: demo", "", "kt-mark: two", "", "version: demo"];
    const args = headers.flatMap((header, i) => [
      ...(i === 0 ? [] : ["--next"]),
      ...["-sS", "-m", "5", "-w", "connects=%{num_connects}\n"],
      ...(header === "" ? [] : ["-H", header]),
      "http://web/",
    ]);
    const output = succeeded(await client.exec(["curl", ...args]));
    const lines = output.trim().split("\n");
    const answers = lines.filter((line) => line.startsWith("demo")).map(
      answeredBy,
    );
    assert.deepEqual(answers, ["laptop", "web-", "other", "web-", "laptop"]);
    const connects = lines.filter((line) => line.startsWith("connects"));
    assert.equal(connects.join(" ").replaceAll("connects=", ""), "1 0 0 0 0");
  });

  await t.step(
    "a connection that is opened long before it is used",
    async () => {
      const request =
        "GET / HTTP/1.1\\r\\nHost: web\\r\\nversion: demo\\r\\nConnection: close\\r\\n\\r\\n";
      const output = await sh(
        `(sleep 1; printf '${request}'; sleep 1) | nc web 80`,
      );
      assert.equal(answeredBy(output), "laptop");
    },
  );

  await t.step(
    "a Shadow Service that somebody deletes comes again",
    async () => {
      const again = mesh.event((event) => event["code"] === "SERVICE_DELETED");
      succeeded(
        await namespace.kubectl(["delete", "service", "web-kt-mesh-demo"]),
      );
      await again;
      // one answer says little: it takes a moment until nodes and router all have followed
      let inARow = 0;
      await eventually("marked requests come to the laptop", async () => {
        const { stdout } = await client.curl(
          "-H",
          "version: demo",
          "http://web/",
        );
        inARow = answeredBy(stdout) === "laptop" ? inARow + 1 : 0;
        return inARow === 10;
      });
    },
  );

  for (const { title, header, pod } of bothWays) {
    await t.step(`a WebSocket, ${title}`, async () => {
      const output = await deno.run("websocket_talk.ts", [
        "ws://web/",
        objectOf(header),
      ]);
      const [first = "", second] = output.trim().split("\n");
      assert.equal(answeredBy(first), pod);
      assert.equal(second, "100 messages, closed with 1000");
    });

    await t.step(`HTTP/2 without TLS, ${title}`, async () => {
      const command = ["nghttp", ...curlHeaders(header), "http://web/"];
      assert.equal(answeredBy(succeeded(await client.exec(command))), pod);
    });

    await t.step(`server-sent events one by one, ${title}`, async () => {
      const output = await deno.run("server_events.ts", [
        "http://web/sse?n=5&ms=300",
        objectOf(header),
      ]);
      const { pod: sender, events, arrivedMs } = JSON.parse(output);
      assert.ok(sender.startsWith(pod), sender);
      assert.equal(events, 5);
      assertApart(arrivedMs, 300);
    });

    await t.step(`10 MiB up and down, ${title}`, async () => {
      const size = 10 * MIB;
      const marks = header.map((one) => `-H '${one}'`).join(" ");
      const start = performance.now();
      const text = await sh(
        `head -c ${size} /dev/urandom > /tmp/up && sha256sum < /tmp/up && ` +
          `curl -sS -m 100 ${marks} -T /tmp/up -X POST http://web/sink && ` +
          `nghttp ${marks} -d /tmp/up http://web/sink`,
      );
      const [sum = "", h1 = "", h2 = ""] = text.trim().split("\n");
      for (const json of [h1, h2]) {
        const { pod: sink, count, sha256 } = JSON.parse(json);
        assert.ok(sink.startsWith(pod), sink);
        assert.deepEqual([count, sha256], [size, sum.split(" ")[0]]);
      }
      const wanted = lettersSum(size);
      const path = `http://web/bytes?n=${size}`;
      const down = await sh(
        `curl -sS -m 100 ${marks} -D /tmp/head '${path}' | sha256sum; ` +
          `curl -sS -m 100 ${marks} '${path}&chunked=1' | sha256sum; ` +
          `nghttp ${marks} '${path}' | sha256sum; grep -i x-pod /tmp/head`,
      );
      const lines = down.trim().split("\n");
      const sums = lines.slice(0, 3).map((line) => line.split(" ")[0]);
      assert.deepEqual(sums, [wanted, wanted, wanted]);
      assert.match(lines[3] ?? "", new RegExp(`x-pod: ${pod}`, "i"));
      const seconds = (performance.now() - start) / 1000;
      console.log(`50 MiB, ${title}: ${seconds.toFixed(1)} s`);
    });

    await t.step(`Host, path, query and headers, ${title}`, async () => {
      const seen = await requestAsSeen(client, header);
      assert.ok(seen.pod.startsWith(pod), seen.pod);
      const wanted = { ...asSent.request };
      if (header.length > 0) wanted.headers["version"] = "demo";
      assert.deepEqual(seen.request, wanted);
      delete wanted.headers["version"];
    });
  }

  await t.step("marks of each stream on one HTTP/2 connection", async () => {
    const headers = Array.from(
      { length: 60 },
      (_, i) => ["version: demo", "", "kt-mark: two"][i % 3],
    );
    const output = await deno.run("mixed_streams.ts", [
      "http://web",
      JSON.stringify(headers),
    ]);
    const answers = JSON.parse(output).map(answeredBy);
    const wanted = headers.map((_, i) => ["laptop", "web-", "other"][i % 3]);
    assert.deepEqual(answers, wanted);
  });

  await t.step("the port that nobody exposed carries what it did", async () => {
    const sums = await sh(
      "head -c 8388608 /dev/urandom > /tmp/sent && nc -N web 9000 < /tmp/sent > /tmp/back; " +
        "sha256sum < /tmp/sent; sha256sum < /tmp/back",
    );
    const [sent, back] = sums.trim().split("\n");
    assert.equal(back, sent);
  });

  assert.equal((await mesh.stop()).code, 0);
  assert.equal((await second.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

/** What the server sees of a request that has a bit of everything. */
async function requestAsSeen(client: ClientPod, header: readonly string[]) {
  const args = [
    ...curlHeaders(header),
    ...["-H", "Host: shop.example:8443", "-H", 'X-Odd: a,b;c="d e"'],
    ...["-H", "X-Forwarded-For: 192.0.2.1", "-H", "Cookie: a=1; b=2"],
    ...["-X", "PATCH", "--path-as-is"],
  ];
  const url = "http://web/headers?x=a%2Fb%20c&x=2&empty=&z=%F0%9F%90%99";
  const output = succeeded(await client.curl(...args, url));
  const { pod, method, url: seen, headers } = JSON.parse(output);
  return { pod, request: { method, url: seen, headers } };
}

function lettersSum(size: number): string {
  const letters = createHash("sha256");
  const alphabet = "abcdefghijklmnopqrstuvwxyz".repeat(2520);
  for (let left = size; left > 0; left -= alphabet.length) {
    letters.update(alphabet.slice(0, left));
  }
  return letters.digest("hex");
}

/** They came one by one, and not all at the end; a busy machine may hear of some late, and of the next at once. */
function assertApart(arrivedMs: readonly number[], pauseMs: number): void {
  const gaps = arrivedMs.slice(1).map((ms, i) => ms - arrivedMs[i]!);
  assert.ok(gaps.length > 2);
  const apart = gaps.filter((gap) => gap > pauseMs / 3);
  assert.ok(
    apart.length > gaps.length / 2,
    `arrived at ${arrivedMs} ms`,
  );
}

Deno.test("gRPC comes here where its metadata is marked: calls, streams, trailers and all", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await Promise.all([namespace.applyDemo(), applyPrograms(namespace)]);
  const deno = await startDenoPod(cluster, namespace);
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();
  await using mesh = laptop.start([
    "mesh",
    "web-grpc",
    "--expose",
    `${laptop.demo.grpcPort}:50051`,
    "--versionMark",
    "kt-mark:demo",
  ]);
  await mesh.ready();
  const calls = grpcCalls(deno, "http://web-grpc:50051");

  for (
    const { title, metadata, pod } of [
      { title: "marked", metadata: { "kt-mark": "demo" }, pod: "laptop" },
      { title: "unmarked", metadata: {}, pod: "web-" },
    ]
  ) {
    await t.step(`a call, a stream and a failure, ${title}`, async () => {
      const [call, stream, failure] = await calls([
        { method: "Pod", metadata },
        {
          method: "Stream",
          metadata: { ...metadata, "x-count": "5", "x-interval-ms": "300" },
        },
        { method: "Nonsense", metadata },
      ]);
      assert.equal(call.messages.length, 1);
      assert.ok(call.messages[0].startsWith(pod), call.messages[0]);
      assert.deepEqual(stream.messages, Array(5).fill("hello"));
      assertApart(stream.arrivedMs, 300);
      assert.deepEqual(failure.messages, []);
      const statuses = [call, stream, failure].map(({ trailers }) =>
        trailers["grpc-status"]
      );
      assert.deepEqual(statuses, ["0", "0", "12"]);
      for (const { headers, trailers } of [call, stream, failure]) {
        assert.equal(headers["content-type"], "application/grpc");
        assert.ok(trailers["x-pod"].startsWith(pod), trailers["x-pod"]);
      }
    });
  }

  await t.step("marks of each call on one connection", async () => {
    const marked = (i: number) => i % 2 === 0;
    const answers = await calls(Array.from({ length: 40 }, (_, i) => ({
      method: "Pod",
      metadata: marked(i) ? { "KT-Mark": "demo" } : {},
    })));
    for (const [i, { messages }] of answers.entries()) {
      assert.equal(messages[0].startsWith("laptop"), marked(i), messages[0]);
    }
  });

  assert.equal((await mesh.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

function grpcCalls(deno: DenoPod, url: string) {
  return async (
    calls: readonly { method: string; metadata: Record<string, string> }[],
    // deno-lint-ignore no-explicit-any -- open JSON
  ): Promise<any[]> =>
    JSON.parse(await deno.run("grpc_calls.ts", [url, JSON.stringify(calls)]));
}

Deno.test("what is not HTTP reaches the original untouched, marked text in it or not; what is HTTP keeps its request line and its trailers", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.namespace();
  await applyPrograms(namespace);
  const client = await namespace.client();
  await applyRawServers(namespace);
  const deno = await startDenoPod(cluster, namespace);
  await using local = await startRawServer({ name: "laptop" });
  await using laptop = await Laptop.open(cluster, namespace);
  const nc = async (bytes: string, port = "80") => {
    const sent = Uint8Array.from(bytes, (char) => char.charCodeAt(0));
    const args = ["nc", "-N", "-w", "10", "raw", port];
    return succeeded(await client.exec(args, { stdin: sent }));
  };
  // haproxy 2.6 answers nothing, now and then, where the end comes together with the request
  const ask = async (bytes: string) => {
    const late = "(cat; sleep 0.5) | nc -N -w 10 raw 80";
    return succeeded(
      await client.exec(["sh", "-c", late], {
        stdin: new TextEncoder().encode(bytes),
      }),
    );
  };
  await eventually(
    "the raw server answers",
    async () => (await client.exec(["nc", "-z", "raw", "80"])).code === 0,
  );
  const before = await namespace.snapshot();
  await using mesh = laptop.start([
    "mesh",
    "raw",
    "--expose",
    `${local.port}:80,${local.greetPort}:7000`,
    "--versionMark",
    "demo",
  ]);
  await mesh.ready();

  const marked = "version: demo\r\n";
  const strange = {
    "the start of a TLS connection":
      "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "r".repeat(500),
    "text with a mark": `HELLO raw\r\n${marked}\r\n`,
    "all byte values": Array.from(
      { length: 256 },
      (_, i) => String.fromCharCode(i),
    ).join("").repeat(40),
    "a single byte": "\x00",
    "the start of HTTP/2 and no more": "PRI",
    "the start of a request and no more": "GET /",
  };
  for (const [title, bytes] of Object.entries(strange)) {
    await t.step(title, async () => {
      const hex = [...bytes].map((char) =>
        char.charCodeAt(0).toString(16).padStart(2, "0")
      ).join("");
      assert.equal(await nc(bytes), `original got ${hex}\n`);
    });
  }

  for (const [mark, name] of [[marked, "laptop"], ["", "original"]] as const) {
    await t.step(
      `the request line and trailers, answered by ${name}`,
      async () => {
        const line = "REPORT /a/../b//c%2Fd;e=1?x=%20&y=a+b HTTP/1.1\r\n";
        const text = await ask(
          `${line}Host: Shop.Example\r\n${mark}Trailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n` +
            "5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n",
        );
        assert.match(
          text,
          new RegExp(`^HTTP/1.1 200 OK\r\nX-Pod: ${name}\r\n`, "i"),
        );
        assert.ok(text.includes(line), text);
        assert.match(text, /\r\nhost: Shop\.Example\r\n/i);
        assert.match(text, /\r\n5\r\nhello\r\n0\r\nx-sum: 42\r\n\r\n/i);
        assert.match(text, new RegExp(`\r\n0\r\nX-End: ${name}\r\n\r\n$`, "i"));
      },
    );

    await t.step(
      `what is not quite HTTP, answered by ${name} with the like`,
      async () => {
        const line = "GET /räksmörgås#part?x=ü HTTP/1.1\r\n";
        const text = await ask(
          `${line}Host: raw\r\n${mark}X[odd]: asked\r\n\r\n`,
        );
        assert.match(text, /^HTTP\/1.1 200 OK\r\n/);
        assert.match(text, new RegExp(`\r\nX-Pod: ${name}\r\n`, "i"));
        assert.match(text, /\r\nX\[odd\]: answer\r\n/i);
        assert.ok(text.includes(line), text);
        assert.match(text, /\r\nX\[odd\]: asked\r\n/i);
      },
    );
  }

  await t.step("a server that speaks first", async () => {
    const output = await deno.run("greeted.ts", ["raw", "7000"]);
    const { greeting, ms, echo } = JSON.parse(output);
    assert.equal(greeting, "220 original\r\n");
    assert.equal(echo, "QUIT version: demo\r\n");
    console.log(`the greeting came after ${ms} ms`);
    assert.ok(ms < 2_000, `the greeting came after ${ms} ms`);
  });

  assert.equal((await mesh.stop()).code, 0);
  await assertNoTrace({ namespace, laptop, before });
});

Deno.test("Services of other shapes: one client kept at one pod, low targetPorts by name and by number", async (t) => {
  const cluster = await openTestCluster();
  await using namespace = await cluster.demo();
  await namespace.apply(JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: shapes,
  }));
  const rollout = ["rollout", "status", "deployment/low", "--timeout=60s"];
  succeeded(await namespace.kubectl(rollout));
  const client = await namespace.client();
  await using laptop = await Laptop.open(cluster, namespace);
  const before = await namespace.snapshot();

  for (
    const { name, pod, warning } of [
      { name: "sticky", pod: "web-", warning: "SESSION_AFFINITY" },
      { name: "low-named", pod: "low-", warning: undefined },
    ]
  ) {
    await t.step(name, async () => {
      await using mesh = laptop.start([
        "mesh",
        name,
        "--expose",
        `${laptop.demo.port}:80`,
        "--versionMark",
        "demo",
      ]);
      await mesh.ready();
      const url = `http://${name}/`;
      const marked = await client.curl("-H", "version: demo", url);
      assert.equal(succeeded(marked), "demo pod=laptop\n");
      const unmarked = succeeded(await client.curl(url));
      assert.ok(unmarked.startsWith(`demo pod=${pod}`), unmarked);
      const warnings = mesh.events.filter(({ event }) => event === "warning");
      const codes = warnings.map(({ code }) => code);
      assert.deepEqual(codes, warning === undefined ? [] : [warning]);
      assert.equal((await mesh.stop()).code, 0);
      await assertNoTrace({ namespace, laptop, before });
    });
  }

  await t.step("low-number", async () => {
    const { major, minor } = JSON.parse(
      succeeded(await namespace.kubectl(["version", "-o", "json"])),
    ).serverVersion;
    const isOld = Number(major) === 1 && Number.parseInt(minor) < 22;
    const expose = ["--expose", `${laptop.demo.port}:80`];
    const args = ["mesh", "low-number", ...expose, "--versionMark", "demo"];
    if (isOld) {
      const { code, error, stdout } = await laptop.run(args);
      assert.equal(code, 3, stdout);
      assert.equal(error?.["code"], "LOW_PORT");
      assert.match(error!["message"], /targetPort 80 .*older than 1\.22/);
      assert.match(error!["hint"], /named targetPort/);
    } else {
      await using mesh = laptop.start(args);
      await mesh.ready();
      const url = "http://low-number/";
      const marked = await client.curl("-H", "version: demo", url);
      assert.equal(succeeded(marked), "demo pod=laptop\n");
      assert.match(succeeded(await client.curl(url)), /^demo pod=low-/);
      assert.equal((await mesh.stop()).code, 0);
    }
    await assertNoTrace({ namespace, laptop, before });
  });
});

const lowPort = (
  name: string,
  targetPort: string | number,
  before: readonly Record<string, unknown>[] = [],
) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: {
    selector: { app: "low" },
    ports: [
      ...before,
      { name: "http", port: 80, targetPort, protocol: "TCP" },
    ],
  },
});

const shapes = [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "sticky" },
    spec: {
      selector: { app: "web" },
      sessionAffinity: "ClientIP",
      ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }],
    },
  },
  lowPort("low-named", "low-http", [
    { name: "first", port: 443, targetPort: "low-https", protocol: "TCP" },
  ]),
  lowPort("low-number", 80),
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "low" },
    spec: {
      selector: { matchLabels: { app: "low" } },
      template: {
        metadata: { labels: { app: "low" } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{
            name: "low",
            image: "ktctl-demo:1",
            imagePullPolicy: "IfNotPresent",
            args: ["--port", "80"],
            ports: [
              { name: "low-http", containerPort: 80 },
              { name: "low-https", containerPort: 443 },
            ],
            readinessProbe: {
              httpGet: { path: "/", port: 80 },
              periodSeconds: 1,
            },
            securityContext: { runAsUser: 0 }, // to listen below 1024
          }],
        },
      },
    },
  },
];
