/** Routes into a utun device, by macOS's `route`. Not verified on a Mac. */
import { ConflictError, UnsupportedError } from "../../../core/errors.ts";
import type { ExecResult } from "../../../core/exec.ts";
import { routesOf, type TunMachine } from "../tun_args.ts";

type Executor = Pick<TunMachine, "exec">;

export interface UtunRoutes {
  readonly device: string;
  /** Those that are there, kept up to date: nobody else makes any. */
  readonly routes: Set<string>;
}

/**
 * Makes the routes into a device those of `cidrs`: what is missing is added before what is too much
 * goes, so that nothing leaves by another way meanwhile. If one cannot be added, all is as before.
 * Those of IPv6 are left out: the device has no address of that family.
 *
 * @throws {ConflictError} `ROUTE_TAKEN`.
 * @throws {UnsupportedError} `ROUTE_FAILED`.
 */
export async function replaceUtunRoutes(
  machine: Executor,
  { device, routes }: UtunRoutes,
  cidrs: readonly string[],
): Promise<void> {
  const wanted = routesOf(cidrs).filter(({ family }) => family === 4)
    .map(String);
  const before = [...routes];
  const remove = async (cidr: string) => {
    await route(machine, "delete", { device, cidr });
    routes.delete(cidr);
  };
  try {
    for (const cidr of wanted.filter((one) => !routes.has(one))) {
      await route(machine, "add", { device, cidr });
      routes.add(cidr);
    }
  } catch (error) {
    for (const cidr of routes) {
      if (!before.includes(cidr)) await remove(cidr).catch(() => {}); // the first error tells more
    }
    throw error;
  }
  for (const cidr of before) {
    if (!wanted.includes(cidr)) await remove(cidr);
  }
}

async function route(
  { exec }: Executor,
  verb: "add" | "delete",
  { device, cidr }: { device: string; cidr: string },
): Promise<void> {
  const args = ["-n", verb, "-net", cidr, "-interface", device];
  const reason = routeProblem(await exec("route", args));
  if (reason === undefined) return;
  if (verb === "delete" && reason.includes("not in table")) return;
  if (!reason.includes("File exists")) {
    throw failed(`route ${args.join(" ")}`, reason);
  }
  throw new ConflictError(
    "ROUTE_TAKEN",
    `Cannot route "${cidr}" to the cluster: this machine already has that route`,
    { hint: "End the other VPN or session." },
  );
}

/** Why `route` failed: its exit code does not always tell. */
export function routeProblem(
  { code, stdout, stderr }: ExecResult,
): string | undefined {
  const said = `${stdout}\n${stderr}`;
  const [, reason] = said.match(/^(?:add|delete) .*: gateway \S+: (.+)$/m) ??
    said.match(/^route: (.+)$/m) ?? [];
  if (reason !== undefined) return reason;
  return code === 0 ? undefined : said.trim() || `exit code ${code}`;
}

function failed(command: string, reason: string): UnsupportedError {
  return new UnsupportedError(
    "ROUTE_FAILED",
    `Command "${command}" failed: ${reason.trim()}`,
    { hint: "It needs root." },
  );
}
