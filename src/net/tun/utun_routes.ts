/** Routes into a utun device, by macOS's `route` and `netstat`. Not verified on a Mac. */
import { ConflictError, UnsupportedError } from "../../core/errors.ts";
import type { ExecResult } from "../../core/exec.ts";
import { readDestination } from "../netstat.ts";
import { routesOf, type TunMachine } from "./tun_args.ts";

type Executor = Pick<TunMachine, "exec">;

export interface UtunRoutes {
  readonly device: string;
  /** Those of IPv6 are left out: the device has no address of that family. */
  readonly cidrs: readonly string[];
}

/**
 * Makes the routes into a device those of `cidrs`: what is missing is added before what is too much
 * goes, so that nothing leaves by another way meanwhile. If one cannot be added, all is as before.
 *
 * @throws {ConflictError} `ROUTE_TAKEN`.
 * @throws {UnsupportedError} `ROUTE_FAILED`.
 */
export async function replaceUtunRoutes(
  machine: Executor,
  { device, cidrs }: UtunRoutes,
): Promise<void> {
  const wanted = routesOf(cidrs).filter(({ family }) => family === 4)
    .map(String);
  const present = await readRoutes(machine, device);
  const added: string[] = [];
  try {
    for (const cidr of wanted.filter((one) => !present.includes(one))) {
      await route(machine, "add", { device, cidr });
      added.push(cidr);
    }
  } catch (error) {
    for (const cidr of added) {
      await route(machine, "delete", { device, cidr }).catch(() => {}); // the first error tells more
    }
    throw error;
  }
  for (const cidr of present.filter((one) => !wanted.includes(one))) {
    await route(machine, "delete", { device, cidr });
  }
}

/** The IPv4 routes into a device that somebody has made (`S`), in what `netstat -rn -f inet` prints. */
export function utunRoutes(netstat: string, device: string): string[] {
  return netstat.split("\n").flatMap((line) => {
    const [destination = "", , flags = "", netif] = line.trim().split(/\s+/);
    if (netif !== device || !/^U.*S/.test(flags)) return [];
    const cidr = readDestination(destination);
    return cidr === undefined ? [] : [String(cidr)];
  });
}

async function readRoutes(
  machine: Executor,
  device: string,
): Promise<string[]> {
  const args = ["-rn", "-f", "inet"];
  const { code, stdout, stderr } = await machine.exec("netstat", args);
  if (code === 0) return utunRoutes(stdout, device);
  throw failed(`netstat ${args.join(" ")}`, stderr);
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
    `Cannot route "${cidr}" to the cluster: this machine has a route for just that`,
    { hint: "End the other VPN or session, or use --excludeIps." },
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
