/** `ktctl exchange`: a Service's traffic comes to a local port. */
import {
  findTarget,
  parseResourceName,
  wantedObject,
} from "../cluster/service/target.ts";
import { reportOf } from "./dry_run/report_of.ts";
import type { Host } from "./session/host.ts";
import { runTraffic, type TrafficOptions } from "./session/run_traffic.ts";

export interface ExchangeOptions extends TrafficOptions {
  /** Seconds. */
  readonly recoverWaitTime: number;
}

export async function exchange(
  host: Host,
  name: string,
  options: ExchangeOptions,
): Promise<void> {
  const report = reportOf(host, options);
  const resourceName = parseResourceName(name);
  await runTraffic(host, options, {
    verb: "exchange",
    report,
    command: `exchange ${name}`,
    wanted: wantedObject(resourceName),
    recoverWaitTime: options.recoverWaitTime,
    findTarget: (kube, options) => findTarget(kube, resourceName, options),
  });
}
