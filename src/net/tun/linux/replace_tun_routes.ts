import { Cidr } from "../../cidr.ts";
import { listIp, runIp, runIpBatch } from "./run_ip.ts";
import { routesOf, type TunMachine, type TunRoutesArgs } from "../tun_args.ts";

interface IpRoute {
  readonly dst?: string;
  readonly protocol?: string;
}

/**
 * Makes the routes into a device those of `cidrs`: what is missing is added before what is too much
 * goes, so that nothing leaves by another way meanwhile. If one cannot be added, all is as before.
 */
export async function replaceTunRoutes(
  machine: Pick<TunMachine, "exec">,
  { device, cidrs }: TunRoutesArgs,
): Promise<void> {
  const families = [4, ...(await hasIpv6(machine, device) ? [6] : [])];
  const wanted = new Set(
    routesOf(cidrs).filter(({ family }) => families.includes(family))
      .map(String),
  );
  const present = new Set(await readRoutes(machine, device));
  const added = [...wanted].filter((cidr) => !present.has(cidr));
  const removed = [...present].filter((cidr) => !wanted.has(cidr));
  try {
    await runIpBatch(machine, [
      ...added.map((cidr) => `route add ${cidr} dev ${device}`),
      ...removed.map((cidr) => `route del ${cidr} dev ${device}`),
    ]);
  } catch (error) {
    const now = new Set(await readRoutes(machine, device));
    await runIp(machine, ["-force", "-batch", "-"], {
      stdin: [
        ...added.filter((cidr) => now.has(cidr))
          .map((cidr) => `route del ${cidr} dev ${device}\n`),
        ...removed.filter((cidr) => !now.has(cidr))
          .map((cidr) => `route add ${cidr} dev ${device}\n`),
      ].join(""),
    }).catch(() => {}); // the first error tells more
    throw error;
  }
}

/** But those that the kernel made for the addresses. */
async function readRoutes(
  machine: Pick<TunMachine, "exec">,
  device: string,
): Promise<string[]> {
  const lists = await Promise.all(
    ["-4", "-6"].map((family) =>
      listIp<IpRoute>(machine, [family, "route", "show", "dev", device])
    ),
  );
  return lists.flat().flatMap(({ dst = "", protocol }) => {
    const cidr = protocol === "kernel" ? undefined : Cidr.tryParse(dst);
    return cidr === undefined ? [] : [`${cidr}`];
  });
}

async function hasIpv6(
  machine: Pick<TunMachine, "exec">,
  device: string,
): Promise<boolean> {
  const shown = await runIp(machine, ["-6", "address", "show", "dev", device]);
  return shown.trim() !== "";
}
