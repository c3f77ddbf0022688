/**
 * Routes traffic to a Shadow Pod, and from there here, for as long as the command runs.
 *
 * set-up: shadow → link → proof of the paths, here and to the original → route (the Service is switched).
 * Link lost: the agent fails open by itself; reconnect until it is back.
 * Pod lost: detach first (the Service is switched back), then everything anew.
 */
import type { Report } from "../../core/report.ts";
import type { Scope } from "../../undo/scope.ts";
import type { Link } from "../../link/client/link.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import type { World } from "../../kube/world.ts";
import type { Heartbeat } from "../object/heartbeat.ts";
import type { LinkProtocol } from "../../link/wire/link_protocol.ts";
import { LocalRefusals } from "./local_refusals.ts";
import { awaitShadowReady, type Shadow } from "./shadow.ts";
import { type LocalPort, proveLink } from "./shadow_link.ts";
import { refuseUnreachable } from "./refuse_unreachable.ts";
import { type Prepared, ShadowSession } from "./shadow_session.ts";
import type { ShadowSpec } from "./shadow_objects.ts";

export interface TrafficSessionOptions {
  readonly scope: Scope<World>;
  readonly report: Report;
  readonly heartbeat: Heartbeat;
  /** The Shadow Pod; `name` is the prefix to which random letters are added each time it is made. */
  readonly spec: ShadowSpec;
  /** The pod's name is that of `spec` itself. @default false */
  readonly hasFixedName?: boolean;
  readonly ports: readonly LocalPort[];
  /** `--skipPortChecking`: a local port on which nothing listens yet is no error. */
  readonly allowRefusedLocal: boolean;
  readonly podTimeoutMs: number;
  readonly linkTimeoutMs: number;
  /** Told of each link, also of those after a loss. */
  readonly onLink?: (link: Link) => void;
  readonly linkProtocol?: LinkProtocol;
  /** Told of the pod that serves each time that it is another. */
  readonly onPod?: (pod: KubeObject) => void;
  /**
   * Proves the path from the first shadow to the original, beside what else is waited for. What it throws ends
   * the set-up, before any traffic is sent. @default not proven
   */
  readonly proveOriginal?: (link: Link, signal: AbortSignal) => Promise<void>;
  /** Sends the traffic to the shadow. Reverted through `scope` when the shadow is lost. */
  readonly route: (scope: Scope<World>, shadow: Shadow) => Promise<void>;
  /** Asked when the shadow is lost, before anything is reverted: whether somebody took the Service back. */
  readonly isReleased?: () => Promise<boolean>;
}

export class TrafficSession {
  #options: TrafficSessionOptions;
  /** Of pods that are made anew nothing else is known than of the first. */
  #isProven = false;

  constructor(options: TrafficSessionOptions) {
    this.#options = options;
  }

  /** Sets up, calls `onReady`, and serves until the scope ends. Throws what ends it. */
  run(onReady: () => void | Promise<void>): Promise<never> {
    const refusals = new LocalRefusals(this.#options.report);
    const session = new ShadowSession({
      ...this.#options,
      prepare: (prepared) => this.#prepare(prepared),
      onLocalRefused: (port, error) => refusals.tell(port, error),
    });
    return session.run(onReady);
  }

  /** All that {@link run} changes in the cluster, for a dry run: there is no pod to connect to. */
  async plan(): Promise<void> {
    const { scope, route } = this.#options;
    const ofShadow = scope.child("shadow");
    const shadow = await new ShadowSession(this.#options).make(ofShadow);
    await refuseUnreachable(scope.world.kube, shadow);
    await route(ofShadow.child("route"), shadow);
  }

  async #prepare({ scope, shadow, link }: Prepared): Promise<void> {
    const { report, podTimeoutMs, linkTimeoutMs, ports, allowRefusedLocal } =
      this.#options;
    const original = this.#proveOriginal(link, scope.signal);
    original?.catch(() => {}); // read below, unless something else fails first
    await report.step(
      "check the path to the local port",
      () =>
        proveLink(link, ports, {
          allowRefusedLocal,
          timeoutMs: linkTimeoutMs,
        }),
    );
    await report.step(
      "wait for the pod to be ready",
      () => awaitShadowReady(scope, shadow, podTimeoutMs),
    );
    if (original !== undefined) {
      await report.step("check the path to the original pods", () => original);
    }
    const routeScope = scope.child("route");
    await report.step(
      "switch the traffic",
      () => this.#options.route(routeScope, shadow),
    );
  }

  #proveOriginal(link: Link, signal: AbortSignal): Promise<void> | undefined {
    if (this.#isProven) return undefined;
    this.#isProven = true;
    return this.#options.proveOriginal?.(link, signal);
  }
}
