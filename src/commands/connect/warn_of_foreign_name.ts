import type { Report } from "../../core/report.ts";
import type { ForeignReason } from "../../net/dns/dns_resolver.ts";

/** Tells that a name, which may be meant for a Service, does not lead to it, and what does. */
export function warnOfForeignName(
  report: Pick<Report, "warn">,
  name: string,
  reason: ForeignReason,
): void {
  const namespace = name.slice(name.lastIndexOf(".") + 1);
  const way =
    `For a Service of it write ${name}.svc, or use --allowNames ${namespace}`;
  switch (reason) {
    case "exists":
      return report.warn(
        "NAME_IS_PUBLIC",
        `"${name}" exists outside of the cluster, so it leads there, not to namespace "${namespace}". ${way}`,
      );
    case "unsure":
      return report.warn(
        "NAME_MAY_BE_PUBLIC",
        `"${name}" is not looked for in namespace "${namespace}", as no name server says whether it exists outside of the cluster. ${way}`,
      );
    case "reserved":
      return report.warn(
        "NAME_IS_RESERVED",
        `Service "${name}" does not get its short name, by which programs look for something else. To give it all the same use --allowNames ${name}`,
      );
  }
}
