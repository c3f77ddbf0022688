/**
 * What the conformance kit of transport plugins works on: a Shadow Pod of a real cluster with a live link,
 * and behind it an echo.
 */
import { createServer } from "node:net";
import { Heartbeat } from "../../cluster/object/heartbeat.ts";
import {
  agentConfig,
  containerPorts,
  localPorts,
  type PodPort,
} from "../../cluster/shadow/pod_ports.ts";
import { ShadowSession } from "../../cluster/shadow/shadow_session.ts";
import { UsageError } from "../../core/errors.ts";
import { randomLetters, randomLower } from "../../core/random_name.ts";
import type { RootHelperClient } from "../../helper/root_helper_client.ts";
import { startHelper } from "../../helper/start_helper.ts";
import { ROLE, TARGET } from "../../kube/annotations.ts";
import { PODS } from "../../kube/resources.ts";
import { LinkPool } from "../../link/client/link_pool.ts";
import type { ClusterLink } from "../../link/wire/cluster_link.ts";
import { listen } from "../../net/listen.ts";
import { readOptions, transportNeeds } from "../driver.ts";
import type { TransportPlugin } from "../plugin.ts";
import { dialVia } from "./dial_via.ts";
import { kitHelper } from "./kit_helper.ts";
import { KitLink } from "./kit_link.ts";
import {
  type Lab,
  type LabOptions,
  LINK_TIMEOUT_MS,
  openLab,
  POD_TIMEOUT_MS,
  silent,
} from "./lab.ts";
import { snapshotMachine } from "./snapshot_machine.ts";
import type { TestedRoot, TransportTestOptions } from "./testing_transport.ts";

export interface TransportLabOptions extends LabOptions {
  readonly plugin: TransportPlugin<never>;
  /** The plugin's own options, as its flags give them. */
  readonly options?: Readonly<Record<string, string>>;
  /**
   * How an application reaches the cluster by a plugin that captures no addresses:
   * `http://127.0.0.1:3128` by CONNECT, `socks5://127.0.0.1:1080`, or `tcp://127.0.0.1:8080` where a port
   * leads to one target, which is to be `echo.kit:7`.
   */
  readonly via?: string;
}

/** All that `testTransport` needs but its `step`. Its Shadow Pod goes when it is disposed. */
export type TransportLab = Omit<TransportTestOptions, "step"> & AsyncDisposable;

/** Of networks for documentation: nobody has them. */
const CAPTURED = { host: "192.0.2.7", cidr: "192.0.2.0/24" };
const ADDED = { host: "203.0.113.7", cidr: "203.0.113.0/24" };
/** The same echo by name. */
const NAME = "echo.kit";
const ECHO_PORT = 7;
const REFUSED_PORT = 9;
/** In the pod. */
const POD_ECHO = 10_007;
const POD_REFUSED = 10_009;

/**
 * Throws what the commands would: no rights, no image; `UsageError` (`VIA_MISSING`, `FLAG_INVALID`) where
 * it cannot be told how to reach the cluster by the plugin.
 */
export async function openTransportLab(
  options: TransportLabOptions,
): Promise<TransportLab> {
  const { plugin, via } = options;
  const given = await readOptions(plugin, options.options ?? {});
  const { captures } = await transportNeeds(plugin, given);
  if (!captures && via === undefined) throw viaMissing(plugin.name);
  const dial = dialVia(via);
  const lab = await openLab(options);
  try {
    const { link, podIp } = await startEcho(lab);
    const isOnePort = via?.startsWith("tcp:") ?? false;
    let asked = ECHO_PORT;
    return {
      plugin,
      options: options.options ?? {},
      kube: lab.kube,
      link: new KitLink(
        link,
        [CAPTURED.host, ADDED.host, NAME],
        (port) => ({
          host: podIp,
          port: (isOnePort ? asked : port) === ECHO_PORT
            ? POD_ECHO
            : POD_REFUSED,
        }),
      ),
      root: helperRoot,
      cidrs: captures ? [CAPTURED.cidr] : [],
      echo: { host: CAPTURED.host, port: ECHO_PORT },
      refused: { host: CAPTURED.host, port: REFUSED_PORT },
      ...captures && { added: { ...ADDED, port: ECHO_PORT } },
      dial(target) {
        asked = target.port;
        return dial(target);
      },
      snapshot: snapshotMachine,
      [Symbol.asyncDispose]: () => lab.close(),
    };
  } catch (error) {
    await lab.close();
    throw error;
  }
}

function viaMissing(name: string): UsageError {
  return new UsageError(
    "VIA_MISSING",
    `Cannot test the plugin "${name}": it captures no addresses, so that the kit has to be told how to reach the cluster by it`,
    {
      hint:
        "Name the port that it opens: --via http://127.0.0.1:3128, socks5://127.0.0.1:1080, or tcp://127.0.0.1:8080.",
    },
  );
}

/** A Shadow Pod whose one port comes back here, to an echo: what is dialled in the pod goes both ways of the link. */
async function startEcho(
  { kube, scope, pod }: Lab,
): Promise<{ link: ClusterLink; podIp: string }> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.pipe(socket);
  });
  const local = await listen(server, { host: "127.0.0.1", port: 0, hint: "" });
  scope.defer("local echo", () => void server.close());
  const ports: PodPort[] = [{
    ...{ name: "echo", port: POD_ECHO, servicePort: POD_ECHO },
    local,
  }];
  const pool = new LinkPool({ patienceMs: LINK_TIMEOUT_MS });
  scope.defer("link", () => pool.close());
  const made = Promise.withResolvers<string>();
  const session = new ShadowSession({
    scope,
    report: silent,
    heartbeat: scope.use(new Heartbeat(kube, silent), "heartbeat"),
    spec: {
      name: "kt-plugin-test",
      namespace: kube.namespace,
      session: randomLower(10),
      user: "kit",
      labels: { [ROLE]: "shadow-connect", [TARGET]: randomLetters(20) },
      config: "",
      ports: containerPorts(ports),
      agent: agentConfig(ports, { ready: "always" }),
      pod,
      unprivilegedPortStart: false,
    },
    ports: localPorts(ports),
    podTimeoutMs: POD_TIMEOUT_MS,
    linkTimeoutMs: LINK_TIMEOUT_MS,
    onLink: (link) => pool.use(link),
    prepare: ({ shadow }) => Promise.resolve(made.resolve(shadow.podName)),
  });
  scope.background("shadow", () => session.run(() => {}));
  const name = await Promise.race([made.promise, scope.failed]);
  const { status } = await kube.get({ resource: PODS, name });
  return { link: pool, podIp: status?.podIP ?? "" };
}

async function start(signal: AbortSignal): Promise<RootHelperClient> {
  return await startHelper({ signal, command: await kitHelper(signal) });
}

/** A helper that is started when it is first asked for something. */
function helperRoot(signal: AbortSignal): TestedRoot {
  let client: Promise<RootHelperClient> | undefined;
  return {
    async open(operation, args, onEvent) {
      const helper = await (client ??= start(signal));
      return await helper.open(operation, args, onEvent, { signal });
    },
    async [Symbol.asyncDispose]() {
      const helper = await client?.catch(() => undefined);
      await helper?.[Symbol.asyncDispose]();
    },
  };
}
