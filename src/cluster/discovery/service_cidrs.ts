/** Which addresses Services have. */
import type { KtctlError } from "../../core/errors.ts";
import type { KubeApi, KubeObject } from "../../kube/kube_api.ts";
import { randomLower } from "../../core/random_name.ts";
import { SERVICE_CIDRS, SERVICES } from "../../kube/resources.ts";
import { Cidr } from "../../net/cidr.ts";
import { coverAddresses, isCovered, mergeCidrs } from "../../net/cidr_list.ts";
import { type DiscoveryOptions, listVisible } from "./list_visible.ts";
import { isRefusal, unlessRefused } from "../../kube/unless_refused.ts";

/** Kubernetes takes no range of Services with more than 20 bits of its own for either family. */
const WIDEST = { 4: 12, 6: 108 } as const;
/** Cluster IPs, one a family, that lie in no range. */
const IMPOSSIBLE = ["0.0.0.0", "::"] as const;

/**
 * The ranges of Services: as the ServiceCIDR API tells them, else as the server names them when it
 * refuses a Service (a dry run), else, with a warning, what the existing Services fit in.
 */
export async function discoverServiceCidrs(
  kube: KubeApi,
  options: DiscoveryOptions,
): Promise<Cidr[]> {
  const told = await fromApi(kube, options);
  if (told.length > 0) return mergeCidrs(told);
  const named = await fromRefusal(kube, options);
  if (named.length === 0) return await fromServices(kube, options);
  return await servesRanges(kube, options)
    ? await withOthers(kube, named, options)
    : mergeCidrs(named);
}

/** All addresses of a Service inside the cluster. */
export function clusterIps({ spec }: KubeObject): Cidr[] {
  const texts: readonly string[] = spec?.clusterIPs ?? [spec?.clusterIP ?? ""];
  return texts.flatMap((text) => Cidr.tryParse(text) ?? []); // "None" is none
}

/** What a ServiceCIDR adds to the ranges of Services. */
export function rangesOf({ spec }: KubeObject): Cidr[] {
  const texts: readonly string[] = spec?.cidrs ?? [];
  return texts.flatMap((text) => Cidr.tryParse(text) ?? []);
}

/** The ranges that the server names in its refusal of a cluster IP. */
export function rangesInRefusal(text: string): Cidr[] {
  const named = text.matchAll(/valid IPs is (?:CIDR )?([0-9a-f:.]+\/\d+)/gi);
  return [...named].flatMap(([, range]) => Cidr.tryParse(range!) ?? []);
}

async function fromApi(
  kube: KubeApi,
  { signal }: DiscoveryOptions,
): Promise<Cidr[]> {
  for (const resource of SERVICE_CIDRS) {
    const found = await unlessRefused(() =>
      kube.list(resource, { ...(signal && { signal }) })
    );
    const cidrs = found?.flatMap(rangesOf) ?? [];
    if (cidrs.length > 0) return cidrs;
  }
  return [];
}

/** One request for each family: a server names the range of the family that it was asked for. */
async function fromRefusal(
  kube: KubeApi,
  { signal }: DiscoveryOptions,
): Promise<Cidr[]> {
  const request = { ...(signal && { signal }) };
  const found = await Promise.all(IMPOSSIBLE.map(async (clusterIP) => {
    const service: KubeObject = {
      metadata: { name: `ktctl-address-probe-${randomLower(5)}` },
      spec: { clusterIP, ports: [{ port: 80 }] },
    };
    const refused = await refusalOf(kube, service, {
      ...request,
      dryRun: true,
    });
    // old servers, 1.20 among them, look at no range in a dry run: they are asked in earnest
    return rangesInRefusal(
      refused ?? await refusalOf(kube, service, request) ?? "",
    );
  }));
  return found.flat();
}

/** Whether the cluster can have more ranges than the one of its start, which its refusals name. */
async function servesRanges(
  kube: KubeApi,
  { signal }: DiscoveryOptions,
): Promise<boolean> {
  for (const { apiVersion, plural } of SERVICE_CIDRS) {
    const found = await unlessRefused(() =>
      kube.raw<{ resources?: { name?: string }[] }>(`/apis/${apiVersion}`, {
        ...(signal && { signal }),
      })
    );
    if (found?.resources?.some(({ name }) => name === plural)) return true;
  }
  return false;
}

/** The ranges that are named, and what the Services that may be seen have beside them. */
async function withOthers(
  kube: KubeApi,
  named: Cidr[],
  options: DiscoveryOptions,
): Promise<Cidr[]> {
  const found = await listVisible(kube, SERVICES, options);
  const others = (found?.items ?? []).flatMap(clusterIps)
    .filter((address) => !isCovered(address, named));
  const cidrs = mergeCidrs([...named, ...coverAddresses(others, WIDEST)]);
  options.warn(
    "SERVICE_RANGE_PARTIAL",
    `This cluster may have more Service ranges than those captured (${
      cidrs.join(", ")
    }): it has ServiceCIDRs, and you have no permission to list them (servicecidrs of networking.k8s.io, in docs/rbac/connect-cluster.yaml)`,
  );
  return cidrs;
}

/** What the server says against the object; undefined where it takes it, and then it is gone again. */
async function refusalOf(
  kube: KubeApi,
  service: KubeObject,
  options: { signal?: AbortSignal; dryRun?: true },
): Promise<string | undefined> {
  try {
    await kube.create(SERVICES, service, options);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return wordsOf(error);
  }
  if (options.dryRun) return undefined;
  await kube.delete({ resource: SERVICES, name: service.metadata.name });
  return undefined;
}

function wordsOf({ message, details }: KtctlError): string {
  return [message, ...details].join("\n");
}

async function fromServices(
  kube: KubeApi,
  options: DiscoveryOptions,
): Promise<Cidr[]> {
  const found = await listVisible(kube, SERVICES, options);
  const cidrs = coverAddresses(
    (found?.items ?? []).flatMap(clusterIps),
    WIDEST,
  );
  if (cidrs.length === 0) {
    options.warn(
      "SERVICE_RANGE_UNKNOWN",
      `Cannot find the cluster's Service range: no permission to read ServiceCIDRs, or Services in namespace "${kube.namespace}", or there are none`,
    );
  } else {
    options.warn(
      "SERVICE_RANGE_GUESSED",
      `The Service range is guessed from the Services ${
        found!.everywhere
          ? "that exist"
          : `in namespace "${kube.namespace}", as others cannot be listed`
      }: ${
        cidrs.join(", ")
      }; with permission to list servicecidrs (networking.k8s.io), or to create Services, ktctl would know it`,
    );
  }
  return cidrs;
}
