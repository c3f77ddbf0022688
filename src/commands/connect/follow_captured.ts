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
  /** Left out where no queries are led by the transport. */
  readonly names: Pick<ConnectNames, "servers" | "followServers"> | undefined;
}

/** Has the transport take in what comes later: addresses of the cluster, name servers of this machine. */
export async function followCaptured(
  { session: { scope, report }, plugin, transport, ranges, names }:
    FollowCapturedOptions,
): Promise<void> {
  let updating = Promise.resolve(true);
  const update = (): Promise<boolean> => {
    const updated = updating.then(() =>
      updateTransport(plugin, transport, {
        cidrs: ranges?.cidrs ?? [],
        servers: names?.servers ?? [],
      })
    );
    updating = updated.catch(() => true); // whoever asked for it is told
    return updated;
  };
  if (ranges !== undefined) {
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
  await names?.followServers(async ({ upstreams }) => {
    const hosts = upstreams.map(({ host }) => host);
    if (!await update()) {
      return report.warn(
        "NAME_SERVERS_CHANGED",
        `This machine has new name servers (${
          hosts.join(", ")
        }), and mode "${plugin.name}" cannot use them: they do not resolve cluster names. Run the command again`,
      );
    }
    report.debug(`Name servers of this machine now: ${hosts.join(", ")}`);
    const before = ranges?.cidrs.join();
    await ranges?.setNameServers(hosts);
    if (ranges?.cidrs.join() !== before) await update();
  });
}
