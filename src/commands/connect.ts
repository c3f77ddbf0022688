/** `ktctl connect`: this machine reaches Services, pods and names of the cluster. */
import { connectShadow } from "../cluster/shadow/connect_shadow.ts";
import { refuseUnreachable } from "../cluster/shadow/refuse_unreachable.ts";
import {
  type ShadowMaker,
  ShadowSession,
} from "../cluster/shadow/shadow_session.ts";
import type { ShadowSpec } from "../cluster/shadow/shadow_objects.ts";
import type { Use } from "../cluster/rights/right_rule.ts";
import { SharedShadow } from "../cluster/share/shared_shadow.ts";
import { UsageError } from "../core/errors.ts";
import { exec } from "../core/exec.ts";
import type { Scope } from "../undo/scope.ts";
import type { World } from "../kube/world.ts";
import { findBridges } from "../net/bridges/find_bridges.ts";
import {
  openTransport,
  probePlugin,
  readOptions,
  transportNeeds,
} from "../plugins/driver.ts";
import type {
  Transport,
  TransportNeeds,
  TransportPlugin,
} from "../plugins/plugin.ts";
import { pluginLog } from "../plugins/plugin_log.ts";
import { modeName } from "../plugins/mode_name.ts";
import { LinkPool } from "../link/client/link_pool.ts";
import { CapturedRanges } from "./connect/captured_ranges.ts";
import { ConnectNames } from "./connect/connect_names.ts";
import type { ConnectOptions } from "./connect/connect_options.ts";
import { planMachine } from "./connect/plan_machine.ts";
import { refuseConnected, takeMachine } from "./connect/take_machine.ts";
import type { DryRunOptions } from "./dry_run/dry_run_option.ts";
import { followCaptured } from "./connect/follow_captured.ts";
import {
  type GlobalOptions,
  linkSettings,
  podOptions,
} from "./session/global_options.ts";
import { endText } from "./session/end_text.ts";
import { reportOf } from "./dry_run/report_of.ts";
import { sessionFrame } from "./dry_run/session_frame.ts";
import type { Host } from "./session/host.ts";
import { localResolver } from "./connect/local_resolver.ts";
import { LazyRootHelper } from "./session/lazy_root_helper.ts";
import { pluginOptions } from "./session/plugin_flags.ts";
import { namingMissingRights } from "./session/naming_missing_rights.ts";
import {
  EXCLUSIVE,
  openKube,
  type Session,
  sweepOwn,
} from "./session/session.ts";

export async function connect(
  host: Host,
  options: ConnectOptions & GlobalOptions & DryRunOptions,
): Promise<void> {
  const report = reportOf(host, options);
  const registry = await host.registry();
  const plugin = await registry.transport(options.mode);
  const given = await readOptions(
    plugin,
    pluginOptions(plugin, registry.listings("connect"), options),
  );
  const needs = await transportNeeds(plugin, given);
  if (options.includeBridges.length > 0 && !needs.captures) {
    throw new UsageError(
      "FLAG_INVALID",
      "--includeBridges does not work with a mode that captures nothing",
      { hint: "Leave out --disableTunDevice, or --includeBridges." },
    );
  }
  if (options.dryRun && needs.captures) refuseConnected(host);
  using _machine = needs.captures && !options.dryRun
    ? takeMachine(host)
    : undefined;
  const kube = await openKube(host, options, report);
  const needed = {
    verbs: ["connect"],
    uses: connectUses(options, needs),
    signal: host.signal,
  } as const;
  await namingMissingRights(kube, needed, async () => {
    if (!options.skipCleanup) await sweepOwn(host, kube, report);
    const run = await sessionFrame(kube);
    await run(
      host,
      {
        globals: options,
        kube,
        report,
        command: needs.captures || options.dryRun
          ? EXCLUSIVE
          : `connect --mode ${modeName(plugin)}, which captures nothing`,
        // this machine's routes and names must not wait for a cluster
        waitsAtEnd: false,
      },
      (session, markReady) =>
        new Connection(host, session, { plugin, given, needs, options })
          .run(markReady),
    );
  });
}

function connectUses(
  { shareShadow, useShadowDeployment, dnsMode, ingressIp }:
    & ConnectOptions
    & GlobalOptions,
  { captures }: TransportNeeds,
): Use[] {
  return [
    ...(shareShadow ? ["shareShadow" as const] : []),
    ...(useShadowDeployment ? ["useShadowDeployment" as const] : []),
    ...(captures ? [] : ["disableTunDevice" as const]),
    ...(dnsMode.kind === "hosts" ? ["dnsMode=hosts" as const] : []),
    ...(ingressIp === undefined ? [] : ["ingressIp" as const]),
  ];
}

interface ConnectionOptions {
  readonly plugin: TransportPlugin<never>;
  /** The plugin's own options. */
  readonly given: never;
  readonly needs: TransportNeeds;
  readonly options: ConnectOptions & GlobalOptions;
}

class Connection {
  readonly #host: Host;
  readonly #session: Session;
  readonly #its: ConnectionOptions;
  readonly #pool: LinkPool;
  readonly #root: LazyRootHelper;
  #names: ConnectNames | undefined;

  constructor(host: Host, session: Session, its: ConnectionOptions) {
    this.#host = host;
    this.#session = session;
    this.#its = its;
    const { linkTimeoutMs: patienceMs } = linkSettings(its.options);
    this.#pool = new LinkPool({
      patienceMs,
      onDial: () => session.status.countConnection(),
    });
    this.#root = new LazyRootHelper({
      report: session.report,
      signal: session.scope.signal,
    });
  }

  async run(markReady: () => void): Promise<void> {
    const { scope, report } = this.#session;
    const { plugin, needs, options } = this.#its;
    // made first, so that the machine is put back first, whatever becomes of the cluster
    const inCluster = scope.child("cluster");
    scope.use(this.#root, "root helper");
    const ranges = await report.step("check", () => this.#check());
    const shadow = new ShadowSession({
      ...this.#session,
      scope: inCluster,
      ...linkSettings(options),
      spec: await this.#shadow(inCluster),
      onLink: async (link) => {
        await this.#pool.use(link);
        this.#session.status.linked();
        this.#names?.refresh();
      },
    });
    scope.defer("link", () => this.#pool.close());
    if (this.#session.plan !== undefined) {
      const made = await shadow.make(inCluster.child("shadow"));
      await refuseUnreachable(this.#session.kube, made);
      return await planMachine(this.#session.plan, {
        ...{ plugin, needs, options, ranges, isLed: this.#isLed },
        local: await localResolver(scope.signal),
      });
    }
    await Promise.race([
      scope.failed,
      this.#root.failed,
      shadow.run(async () => {
        const transport = await report.step(
          "open the network to the cluster",
          () => this.#open(ranges),
        );
        await followCaptured({
          session: this.#session,
          plugin,
          transport,
          ranges,
          names: this.#names,
          isLed: this.#isLed,
        });
        markReady();
        report.event(this.#readyEvent(ranges, transport));
      }),
    ]);
  }

  async #shadow(scope: Scope<World>): Promise<ShadowSpec | ShadowMaker> {
    const { kube, id } = this.#session;
    const { options } = this.#its;
    const wanted = {
      namespace: kube.namespace,
      session: id,
      user: this.#host.user,
      pod: podOptions(options),
    };
    if (!options.shareShadow) return connectShadow(wanted);
    return await SharedShadow.join({
      ...this.#session,
      ...linkSettings(options),
      ...wanted,
      scope,
    });
  }

  /** What a transport is told of `--includeBridges`. */
  get #bridges(): { readonly bridges?: readonly string[] } {
    const { includeBridges: bridges } = this.#its.options;
    return bridges.length === 0 ? {} : { bridges };
  }

  /** The transport leads name servers' port 53 to our own. */
  get #isLed(): boolean {
    const { needs, options } = this.#its;
    return needs.dns === "transport" && options.dnsMode.kind !== "hosts";
  }

  /** Finds what stands in the way before anything is changed. */
  async #check(): Promise<CapturedRanges | undefined> {
    const { kube, report, scope } = this.#session;
    const { plugin, given, needs, options } = this.#its;
    const isLed = this.#isLed;
    const { signal } = scope;
    // a dry run starts no helper, nor asks for a password
    const root = kube.isPlan ? undefined : this.#root;
    if (options.includeBridges.length > 0) {
      await findBridges(exec, options.includeBridges, { signal });
    }
    if (needs.dns !== "none") await ConnectNames.probe(options, { isLed });
    const local = await localResolver(signal);
    const ranges = needs.captures
      ? await CapturedRanges.find({
        kube,
        report,
        signal,
        connect: options,
        nameServers: local.upstreams.map(({ host }) => host),
      })
      : undefined;
    await probePlugin(plugin, {
      kube,
      signal,
      // without it a plugin asks nobody
      ...(root && { root }),
      options: given,
      ...(ranges && { cidrs: ranges.cidrs }),
      ...this.#bridges,
    });
    if (needs.dns === "machine") {
      await ConnectNames.probeMachine({
        connect: options,
        root,
        local,
      });
    }
    return ranges;
  }

  async #open(ranges: CapturedRanges | undefined): Promise<Transport> {
    const { scope, report, id } = this.#session;
    const { plugin, given, needs, options } = this.#its;
    const isHosts = options.dnsMode.kind === "hosts";
    if (needs.dns !== "none") {
      this.#names = new ConnectNames({
        session: this.#session,
        connect: options,
        link: this.#pool,
        root: this.#root,
        local: await localResolver(scope.signal),
        cluster: ranges?.cluster ?? [],
        isLed: this.#isLed,
      });
    }
    const names = this.#names;
    const dns = isHosts ? undefined : await names?.serve();
    const transport = await openTransport(plugin, {
      options: given,
      link: this.#pool,
      cidrs: ranges?.cidrs ?? [],
      ...this.#bridges,
      session: id,
      signal: scope.signal,
      scope,
      root: this.#root,
      log: pluginLog(plugin.name, report),
      ...(this.#isLed && dns && { dns }),
    });
    if (isHosts) await names?.installHosts();
    else if (needs.dns === "machine") await names?.install(transport.device);
    return transport;
  }

  #readyEvent(ranges: CapturedRanges | undefined, transport: Transport) {
    const { plugin, needs, options } = this.#its;
    const { kube } = this.#session;
    // who leads no addresses cannot be given others
    const reached = ranges && transport.update !== undefined &&
      `Services and pods (${ranges.cidrs.join(", ")}) are reached from here`;
    const { bridges } = this.#bridges;
    const nameServers = this.#names?.bridgeAddresses ?? [];
    const shared = bridges &&
      `also from containers and virtual machines of ${bridges.join(", ")}, ${
        nameServers.length === 0
          ? "but not by name"
          : `with the name server ${nameServers.join(", ")}`
      }`;
    const how = [reached, shared, transport.message].filter(Boolean)
      .join("; ");
    return {
      ...transport.details,
      event: "ready",
      message: `Connected to namespace "${kube.namespace}": ${how}. ${
        endText(this.#host, "disconnect", EXCLUSIVE)
      }`,
      verb: "connect",
      mode: plugin.name,
      namespace: kube.namespace,
      ...(ranges && { cidrs: ranges.cidrs }),
      ...(needs.dns === "none" ? {} : { dnsMode: options.dnsMode.kind }),
      ...(bridges && { bridges: { names: bridges, nameServers } }),
      ...(transport.output === undefined ? {} : { output: transport.output }),
    } as const;
  }
}
