/**
 * The one way for requests to the API server, over node:https: on Deno it is the only client that
 * honours every kubeconfig option (tls-server-name, skip-verify, client certificates, proxies) and
 * reports resets and aborts in the middle of a body.
 */
import * as http from "node:http";
import * as https from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import {
  ClusterError,
  type KtctlError,
  PermissionError,
} from "../../core/errors.ts";
import {
  apiError,
  type ApiFailure,
  describeCall,
  missingRule,
  missingRuleHint,
} from "../api_errors.ts";
import type { CallSubject } from "../call_subject.ts";
import type { Authorization } from "../credentials/credentials.ts";
import { asDryRun } from "./as_dry_run.ts";
import { ClusterClock } from "./cluster_clock.ts";
import { Deadline, type DeadlineOptions } from "./deadline.ts";
import { deniedRule } from "../refusals/denied_rule.ts";
import { FirstAnswer } from "./first_answer.ts";
import { Identity, type IdentityOptions } from "./identity.ts";
import type { KubeAgent } from "./kube_agent.ts";
import { proxyFor } from "./proxy.ts";
import { readBody } from "./read_body.ts";
import { sendOnce } from "./send_once.ts";
import { unreachable } from "./unreachable.ts";

/** How often an answer that asks to come later is obeyed, and for how long at most each time. */
const THROTTLE_RETRIES = 4;
const THROTTLE_MAX_MS = 10_000;
/** An error may wait for its explanation so long. */
const REVIEW_TIMEOUT_MS = 5_000;

export interface HttpCall extends DeadlineOptions {
  /** @default "GET" */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path below the server's URL, with its query. */
  readonly path: string;
  /** @default "application/json" */
  readonly accept?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** @default "application/json" */
  readonly contentType?: string;
  /** The answer may come in this form: a list is a tenth as long then. @default as it is */
  readonly acceptEncoding?: "gzip";
  readonly subject: CallSubject;
}

export interface KubeHttpOptions extends Omit<IdentityOptions, "onPeer"> {
  readonly userAgent: string;
  /** Called once, where the server is long in answering for the first time. */
  readonly onSlow?: (() => void) | undefined;
  /** Nothing that is sent changes anything, see {@link asDryRun}. @default false */
  readonly dryRun?: boolean | undefined;
  /** For tests. */
  readonly patienceMs?: number;
}

/** What an upgraded connection (port-forward) needs to reach the same server in the same way. */
export interface ConnectionParameters {
  readonly agent: KubeAgent;
  readonly headers: Record<string, string | string[]>;
}

export class KubeHttp {
  readonly #options: KubeHttpOptions;
  readonly #identity: Identity;
  readonly #first: FirstAnswer;
  readonly #clock = new ClusterClock();
  /** IP addresses that connections have gone to. */
  readonly peers: Set<string> = new Set();

  constructor(options: KubeHttpOptions) {
    this.#options = options;
    const { onSlow, patienceMs } = options;
    const onPeer = (address: string) => void this.peers.add(address);
    this.#identity = new Identity({ ...options, onPeer });
    const isConnected = () => this.peers.size > 0;
    this.#first = new FirstAnswer({ onSlow, isConnected, patienceMs });
  }

  get server(): string {
    return this.#options.target.cluster.server;
  }

  /** Where connections are made to: the API server, and a proxy before it. */
  get hosts(): string[] {
    const { target: { cluster }, env } = this.#options;
    const server = new URL(cluster.server);
    const proxy = proxyFor(server, cluster, env);
    return [server, ...proxy ? [proxy] : []].map(({ hostname }) => hostname);
  }

  /** The cluster's clock in unix seconds. */
  now(): number {
    return this.#clock.now();
  }

  /**
   * One call; the answer as JSON.
   * @throws {KtctlError} What {@link apiError} and `unreachable` make of the failure.
   */
  async json<T>(call: HttpCall): Promise<T> {
    using deadline = new Deadline(this.server, call);
    const asked = { ...call, acceptEncoding: "gzip" } as const;
    const response = await this.#send(asked, deadline);
    const body = await deadline.race(readBody(response));
    if (response.statusCode! >= 300) {
      throw await this.refusal({ code: response.statusCode!, body }, call);
    }
    try {
      return JSON.parse(body) as T;
    } catch (error) {
      throw new ClusterError(
        "API_ERROR",
        `${
          describeCall(call.subject)
        }: the answer of "${this.server}" is not JSON`,
        {
          hint:
            "Something between here and the API server may answer in its place.",
          cause: error,
        },
      );
    }
  }

  /**
   * One call whose answer is read as it comes. The deadline covers everything up to the headers;
   * the signal covers the body too.
   */
  async stream(call: HttpCall): Promise<AsyncIterable<Uint8Array>> {
    using deadline = new Deadline(this.server, call);
    const response = await this.#send(call, deadline);
    if (response.statusCode! >= 300) {
      const body = await deadline.race(readBody(response));
      throw await this.refusal({ code: response.statusCode!, body }, call);
    }
    deadline.release();
    const abort = () => response.destroy();
    call.signal?.addEventListener("abort", abort, { once: true });
    response.once(
      "close",
      () => call.signal?.removeEventListener("abort", abort),
    );
    if (call.signal?.aborted) abort();
    return chunksOf(response, this.server);
  }

  /** For connections that are upgraded. */
  async connection(): Promise<ConnectionParameters> {
    const authorization = await this.#identity.authorize();
    return {
      agent: await this.#identity.agentFor(authorization),
      headers: {
        ...authorization.headers,
        "User-Agent": this.#options.userAgent,
      },
    };
  }

  /** After a failed handshake: whether trying again may help, with newer credentials. */
  renewAfter(error: unknown): Promise<boolean> {
    return this.#identity.renewAfter(error);
  }

  /** Takes the cluster's time from an answer. */
  noteDate(headers: http.IncomingHttpHeaders): void {
    this.#clock.note(headers.date);
  }

  close(): void {
    this.#identity.close();
  }

  async #send(
    call: HttpCall,
    deadline: Deadline,
  ): Promise<http.IncomingMessage> {
    let throttled = 0;
    let renewed = false;
    for (;;) {
      // A plugin may wait for its user to sign in: that time is not the API server's.
      const authorization = await deadline.pausedRace(
        this.#identity.authorize(),
      );
      let response: http.IncomingMessage;
      try {
        response = await this.#exchange(call, authorization, deadline);
      } catch (error) {
        if (renewed || !await this.renewAfter(error)) throw error;
        renewed = true;
        continue;
      }
      this.noteDate(response.headers);
      if (response.statusCode === 401 && !renewed) {
        renewed = true;
        if (await this.#identity.renew()) {
          response.resume();
          continue;
        }
      }
      if (asksForLater(response, call) && throttled < THROTTLE_RETRIES) {
        throttled++;
        response.resume();
        const seconds = Number(response.headers["retry-after"] ?? "1");
        const waitMs = Math.min(
          (Number.isFinite(seconds) ? seconds : 1) * 1000,
          THROTTLE_MAX_MS,
        );
        await deadline.race(
          delay(waitMs, undefined, { signal: deadline.signal }),
        );
        continue;
      }
      return response;
    }
  }

  /** One request. A GET is sent again where a kept-alive connection turned out to be dead. */
  async #exchange(
    call: HttpCall,
    authorization: Authorization,
    deadline: Deadline,
  ): Promise<http.IncomingMessage> {
    const agent = await deadline.race(
      this.#identity.agentFor(authorization),
    );
    for (let attempt = 0;; attempt++) {
      const { answer, wasReused } = this.#request(call, {
        authorization,
        agent,
        deadline,
      });
      try {
        return await this.#first.await(answer);
      } catch (error) {
        if (deadline.signal.aborted) throw deadline.error();
        const stale = wasReused() &&
          /ECONNRESET|EPIPE/.test((error as NodeJS.ErrnoException).code ?? "");
        if (isRead(call) && stale && attempt === 0) continue;
        throw unreachable(error, this.server, this.#fault());
      }
    }
  }

  /** What an answer that is no success means, with what can be known here of its reason. */
  async refusal(
    failure: ApiFailure,
    { subject, signal }: Pick<HttpCall, "subject" | "signal">,
  ): Promise<KtctlError> {
    const isAboutUs = failure.code === 401 ||
      (failure.code === 403 && failure.body.includes("system:anonymous"));
    const fault = isAboutUs ? this.#fault() : undefined;
    const error = apiError(failure, subject, fault);
    const isNamed = fault !== undefined || missingRule(error.message);
    if (error.code !== "RBAC_FORBIDDEN" || isNamed) return error;
    const rule = await deniedRule(
      subject,
      (review) => this.#isAllowed(review, signal),
    ).catch(() => undefined); // it only explains
    return rule === undefined
      ? error
      : new PermissionError(error.code, error.message, {
        hint: missingRuleHint(rule),
        details: error.details,
      });
  }

  async #isAllowed(
    review: { readonly apiVersion: string },
    signal: AbortSignal | undefined,
  ): Promise<boolean | undefined> {
    const { status } = await this.json<{ status?: { allowed?: boolean } }>({
      method: "POST",
      path: `/apis/${review.apiVersion}/selfsubjectaccessreviews`,
      body: review,
      // no resource: its own refusal is not asked about
      subject: { action: "ask for our rights" },
      signal,
      timeoutMs: REVIEW_TIMEOUT_MS,
    });
    return status?.allowed;
  }

  #fault(): string | undefined {
    return this.#identity.fault(this.now() * 1000);
  }

  #request(
    wanted: HttpCall,
    { authorization, agent, deadline }: {
      authorization: Authorization;
      agent: KubeAgent;
      deadline: Deadline;
    },
  ): { wasReused: () => boolean; answer: Promise<http.IncomingMessage> } {
    // here, where every request comes by: none is to escape
    const call = this.#options.dryRun ? asDryRun(wanted) : wanted;
    const body = call.body === undefined
      ? undefined
      : new TextEncoder().encode(JSON.stringify(call.body));
    const headers: Record<string, string | string[] | number> = {
      Accept: call.accept ?? "application/json",
      "User-Agent": this.#options.userAgent,
      ...call.acceptEncoding && { "Accept-Encoding": call.acceptEncoding },
      ...authorization.headers,
    };
    if (body !== undefined) {
      headers["Content-Type"] = call.contentType ?? "application/json";
      headers["Content-Length"] = body.length;
    }
    const url = new URL(this.server + call.path);
    const request = (url.protocol === "https:" ? https : http).request(url, {
      method: call.method ?? "GET",
      agent,
      headers,
      signal: deadline.signal,
    });
    const { promise: answer, resolve, reject } = Promise.withResolvers<
      http.IncomingMessage
    >();
    request.once("response", resolve);
    // Node's request fails by its signal only when it has a connection: one that is dialled still, to a
    // network or a proxy that is silent, would be waited for.
    const { signal } = deadline;
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    request.once("close", () => signal.removeEventListener("abort", abort));
    // Stays on: a request may fail once more after its answer began, with nobody else listening.
    request.on("error", reject);
    request.end(body);
    return { wasReused: sendOnce(request), answer };
  }
}

/**
 * A 429 was not carried out. A server that fails, as it starts or ends, may say when to come again: a
 * write may have been carried out then, and is not sent again.
 */
function asksForLater(
  { statusCode = 0, headers }: http.IncomingMessage,
  call: HttpCall,
): boolean {
  return statusCode === 429 ||
    (isRead(call) && statusCode >= 500 && headers["retry-after"] !== undefined);
}

function isRead({ method = "GET" }: HttpCall): boolean {
  return method === "GET";
}

/** The body as it comes, its failures as errors of ours. */
async function* chunksOf(
  response: http.IncomingMessage,
  server: string,
): AsyncGenerator<Uint8Array> {
  try {
    yield* response;
  } catch (error) {
    throw unreachable(error, server);
  }
}
