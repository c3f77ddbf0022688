/** An API server on loopback that answers as a test tells it to. */
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { makeCredentials } from "../../../src/kube/credentials/make_credentials.ts";
import { KubeHttp } from "../../../src/kube/http/http.ts";
import { KubeClient } from "../../../src/kube/kube_client.ts";
import type {
  KubeCluster,
  KubeUser,
} from "../../../src/kube/kubeconfig/kube_target.ts";
import type { KubeTarget } from "../../../src/kube/kubeconfig/kube_target.ts";
import type { Stamp } from "../../../src/kube/stamped.ts";
import type { WatchTiming } from "../../../src/kube/watch.ts";

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export type Answer = (
  request: SeenRequest,
  response: http.ServerResponse,
) => void;

export class FakeApiServer implements AsyncDisposable {
  readonly requests: SeenRequest[] = [];
  /** Distinct TCP connections. */
  connections = 0;

  private constructor(
    readonly server: http.Server | https.Server,
    private readonly scheme: string,
  ) {}

  /** @param answers One per request, in order; the last one answers all that follow. */
  static async start(
    answers: readonly Answer[],
    options: { tls?: https.ServerOptions } = {},
  ): Promise<FakeApiServer> {
    const server = options.tls === undefined
      ? http.createServer()
      : https.createServer(options.tls);
    const scheme = options.tls === undefined ? "http" : "https";
    const fake = new FakeApiServer(server, scheme);
    server.on("connection", () => fake.connections++);
    server.on("request", async (request, response) => {
      let body = "";
      try {
        for await (const chunk of request) body += chunk;
      } catch {
        return; // who asked is gone
      }
      const seen = {
        method: request.method!,
        url: request.url!,
        headers: request.headers,
        body,
      };
      const answer =
        answers[Math.min(fake.requests.length, answers.length - 1)];
      fake.requests.push(seen);
      answer?.(seen, response);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    return fake;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.server.closeAllConnections();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.server.close(() => resolve());
    await promise;
  }
}

export interface ClientOptions {
  readonly cluster?: Partial<KubeCluster>;
  readonly user?: Partial<KubeUser>;
  readonly env?: Record<string, string>;
  /** @default "shop" */
  readonly namespace?: string;
  readonly stamp?: Stamp;
  readonly watchTiming?: WatchTiming;
  readonly onSlow?: () => void;
  readonly patienceMs?: number;
  readonly dryRun?: boolean;
}

export function targetOf(url: string, options: ClientOptions = {}): KubeTarget {
  return {
    context: "test",
    namespace: options.namespace ?? "shop",
    cluster: {
      name: "test",
      server: url,
      skipTlsVerify: false,
      ...options.cluster,
    },
    user: { name: "tester", impersonation: {}, ...options.user },
  };
}

/** A client of `url`; dispose of it before the server. */
export function clientOf(url: string, options: ClientOptions = {}): KubeClient {
  const target = targetOf(url, options);
  const http = new KubeHttp({
    target,
    credentials: makeCredentials(target),
    userAgent: "ktctl/test",
    env: options.env ?? {},
    ...(options.onSlow && { onSlow: options.onSlow }),
    ...(options.patienceMs && { patienceMs: options.patienceMs }),
    ...(options.dryRun && { dryRun: true }),
  });
  return new KubeClient({
    http,
    context: target.context,
    namespace: target.namespace,
    watchTiming: options.watchTiming ?? {},
    ...(options.stamp && { stamp: options.stamp }),
  });
}

/** Answers with JSON. */
export function json(
  value: unknown,
  { status = 200, headers = {} }: {
    status?: number;
    headers?: Record<string, string>;
  } = {},
): Answer {
  return (_request, response) => {
    response.writeHead(status, {
      "Content-Type": "application/json",
      ...headers,
    });
    response.end(JSON.stringify(value));
  };
}

/** Answers with a refusal as the API server words it. */
export function refusal(code: number, fields: Record<string, unknown>): Answer {
  return json({ kind: "Status", apiVersion: "v1", code, ...fields }, {
    status: code,
  });
}
