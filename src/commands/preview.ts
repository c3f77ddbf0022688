/** `ktctl preview`: a new Service of the cluster leads to a local port. */
import { refuseBadServiceName } from "../cluster/object/object_name.ts";
import { draftService } from "../cluster/shadow/draft_service.ts";
import { reportOf } from "./dry_run/report_of.ts";
import type { Host } from "./session/host.ts";
import { runTraffic, type TrafficOptions } from "./session/run_traffic.ts";

export async function preview(
  host: Host,
  name: string,
  options: TrafficOptions,
): Promise<void> {
  const report = reportOf(host, options);
  refuseBadServiceName(name);
  const ports = options.expose.map(({ remote }) => remote);
  await runTraffic(host, options, {
    verb: "preview",
    report,
    command: `preview ${name}`,
    findTarget: ({ namespace }) => ({
      service: draftService({ name, namespace, ports }),
    }),
  });
}
