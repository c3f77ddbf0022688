import { Changes } from "../../cluster/object/changes.ts";
import { reconcile } from "../../cluster/object/reconcile.ts";
import { disturbances } from "../../core/machine/disturbances.ts";
import { tellOnce } from "../../core/tell_once.ts";
import { updateTransport } from "../../plugins/driver.ts";
import type { Transport, TransportPlugin } from "../../plugins/plugin.ts";
import type { CapturedRanges } from "./captured_ranges.ts";
import type { ConnectNames } from "./connect_names.ts";
import type { Session } from "../session/session.ts";

export interface FollowCapturedOptions {
  readonly session: Pick<Session, "scope" | "report">;
  readonly plugin: TransportPlugin<never>;
  readonly transport: Transport;
  /** Left out where no addresses are captured. */
  readonly ranges: CapturedRanges | undefined;
  /** Left out where the machine's names stay as they are. */
  readonly names: Pick<ConnectNames, "servers" | "followServers"> | undefined;
  /** The transport leads name servers' port 53 to our own. */
  readonly isLed: boolean;
}

/**
 * Has the transport take in what comes later: addresses of the cluster, name servers of this machine, and
 * the networks that it comes into, whose own addresses must not lead to the cluster.
 */
export async function followCaptured(
  { session: { scope, report }, plugin, transport, ranges, names, isLed }:
    FollowCapturedOptions,
): Promise<void> {
  let updating = Promise.resolve(true);
  let taken = ranges?.cidrs.join();
  const update = (): Promise<boolean> => {
    const updated = updating.then(async () => {
      const cidrs = ranges?.cidrs ?? [];
      const servers = isLed ? names?.servers ?? [] : [];
      const isAble = await updateTransport(plugin, transport, {
        cidrs,
        servers,
      });
      taken = cidrs.join();
      return isAble;
    });
    updating = updated.catch(() => true); // whoever asked for it is told
    return updated;
  };
  /** Without an update where it changes nothing. */
  const change = async (work: () => Promise<void> | undefined) => {
    await work();
    if (ranges !== undefined && ranges.cidrs.join() !== taken) await update();
  };
  if (ranges !== undefined) {
    followMachine({
      scope,
      report,
      work: () => change(() => ranges.setNetworks(transport.device)),
    });
    scope.background(
      "addresses of the cluster",
      (signal) =>
        ranges.follow(signal, async (added) => {
          if (!await update()) return;
          report.event({
            event: "captured",
            message: `The cluster has new addresses, now reached from here: ${
              added.join(", ")
            }`,
            cidrs: ranges.cidrs,
          });
        }),
    );
  }
  const told = new Set<string>();
  await names?.followServers(async ({ upstreams }) => {
    const hosts = upstreams.map(({ host }) => host);
    if (isLed && !await update()) {
      return report.warn(
        "NAME_SERVERS_CHANGED",
        `This machine has new name servers (${
          hosts.join(", ")
        }), and mode "${plugin.name}" cannot use them: they do not resolve cluster names. Run the command again`,
      );
    }
    report.debug(`Name servers of this machine now: ${hosts.join(", ")}`);
    try {
      await change(() => ranges?.setNameServers(hosts));
    } catch (error) {
      // as with other networks: the session goes on as it was
      if (!scope.signal.aborted) tellOnce(report, error, told);
    }
  });
}

/**
 * Works after a sleep, with other addresses, and where the link was lost: then the API server may have other
 * addresses. What fails is told and tried again the next time: the session goes on as it was.
 */
function followMachine(
  { scope, report, work }: Pick<Session, "scope" | "report"> & {
    readonly work: () => Promise<void>;
  },
): void {
  const told = new Set<string>();
  scope.background("networks of this machine", async (signal) => {
    const changes = new Changes();
    using _doubts = disturbances.on(() => changes.add());
    const tried = () =>
      work().catch((error) => {
        if (!signal.aborted) tellOnce(report, error, told);
      });
    await reconcile(tried, { changes, signal });
  });
}
