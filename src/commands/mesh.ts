/** `ktctl mesh`: only marked traffic of a Service comes to a local port. */
import { parseMark } from "../cluster/router/mesh_mark.ts";
import {
  findTarget,
  parseResourceName,
  wantedObject,
} from "../cluster/service/target.ts";
import { reportOf } from "./dry_run/report_of.ts";
import type { Host } from "./session/host.ts";
import { runTraffic, type TrafficOptions } from "./session/run_traffic.ts";

export interface MeshOptions extends TrafficOptions {
  readonly versionMark?: string;
}

export async function mesh(
  host: Host,
  name: string,
  options: MeshOptions,
): Promise<void> {
  const report = reportOf(host, options);
  const resourceName = parseResourceName(name);
  const mark = parseMark(options.versionMark);
  await runTraffic(host, options, {
    verb: "mesh",
    report,
    command: `mesh ${name} --versionMark ${mark.key}:${mark.value}`,
    wanted: wantedObject(resourceName),
    mark,
    findTarget: (kube, options) => findTarget(kube, resourceName, options),
  });
}
