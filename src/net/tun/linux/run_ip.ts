import { ConflictError, UnsupportedError } from "../../../core/errors.ts";
import type { ExecOptions } from "../../../core/exec.ts";
import type { TunMachine } from "../tun_args.ts";

type Executor = Pick<TunMachine, "exec">;

/** Thousands of routes take a moment. */
const TIMEOUT_MS = 60_000;

/** Runs `ip` of iproute2. @throws {UnsupportedError} `IP_FAILED`. */
export async function runIp(
  { exec }: Executor,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const timeoutMs = TIMEOUT_MS;
  const result = await exec("ip", args, { timeoutMs, ...options });
  if (result.code === 0) return result.stdout;
  throw failed(args.join(" "), result.stderr);
}

/**
 * Many commands of `ip` by one process, up to the first that fails.
 *
 * @throws {UnsupportedError} `IP_FAILED`, with the command.
 * @throws {ConflictError} `ROUTE_TAKEN`.
 */
export async function runIpBatch(
  { exec }: Executor,
  lines: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (lines.length === 0) return;
  const { code, stderr } = await exec("ip", ["-batch", "-"], {
    timeoutMs: TIMEOUT_MS,
    stdin: lines.map((line) => `${line}\n`).join(""),
    ...(signal && { signal }),
  });
  if (code === 0) return;
  const [, number] = stderr.match(/^Command failed -:(\d+)/m) ?? [];
  const command = lines[Number(number) - 1] ?? "-batch -";
  const [, route] = command.match(/^route add (\S+)/) ?? [];
  if (route === undefined || !stderr.includes("File exists")) {
    throw failed(command, stderr);
  }
  throw new ConflictError(
    "ROUTE_TAKEN",
    `Cannot route "${route}" to the cluster: this machine already has that route`,
    { hint: "End the other VPN or session." },
  );
}

/** What it prints as JSON: some versions print nothing at all where there is nothing. */
export async function listIp<T>(
  machine: Executor,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<readonly T[]> {
  const text = await runIp(machine, ["-json", ...args], {
    ...(signal && { signal }),
  });
  return text.trim() === "" ? [] : JSON.parse(text);
}

function failed(command: string, stderr: string): UnsupportedError {
  const [reason = ""] = stderr.trim().split("\n");
  return new UnsupportedError(
    "IP_FAILED",
    `Command "ip ${command}" failed: ${reason}`,
    { hint: "It needs root and iproute2 (busybox's ip is not enough)." },
  );
}
