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
    `For a Service there, write ${name}.svc, or use --allowNames ${namespace}`;
  switch (reason) {
    case "exists":
      return report.warn(
        "NAME_IS_PUBLIC",
        `"${name}" exists outside the cluster, so it resolves there, not in namespace "${namespace}". ${way}`,
      );
    case "unsure":
      return report.warn(
        "NAME_MAY_BE_PUBLIC",
        `"${name}" is not resolved in namespace "${namespace}", as no name server says whether it exists outside the cluster. ${way}`,
      );
    case "reserved":
      return report.warn(
        "NAME_IS_RESERVED",
        `Service "${name}" is not reached by its short name, which programs use for something else. To allow it anyway, use --allowNames ${name}`,
      );
  }
}
