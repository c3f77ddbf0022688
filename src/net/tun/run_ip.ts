import { UnsupportedError } from "../../core/errors.ts";
import type { ExecOptions, ExecResult } from "../../core/exec.ts";
import type { TunMachine } from "./tun_args.ts";

/** Thousands of routes take a moment. */
const TIMEOUT_MS = 60_000;

/** Runs `ip` of iproute2. @throws {UnsupportedError} `IP_FAILED`. */
export async function runIp(
  machine: Pick<TunMachine, "exec">,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const { code, stdout, stderr } = await machine.exec("ip", args, {
    timeoutMs: TIMEOUT_MS,
    ...options,
  });
  if (code === 0) return stdout;
  throw new UnsupportedError(
    "IP_FAILED",
    `Cannot change the network with ip: ${reasonOf({ code, stderr })}`,
    {
      hint: "It needs root and iproute2 (busybox's ip does not do).",
      details: stderr.trim().split("\n"),
    },
  );
}

/** Many commands of `ip` by one process. It stops at the first that fails. */
export async function runIpBatch(
  machine: Pick<TunMachine, "exec">,
  lines: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  if (lines.length === 0) return;
  await runIp(machine, ["-batch", "-"], {
    stdin: lines.map((line) => `${line}\n`).join(""),
    ...(signal && { signal }),
  });
}

/** What it prints as JSON: some versions print nothing at all where there is nothing. */
export async function listIp<T>(
  machine: Pick<TunMachine, "exec">,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<readonly T[]> {
  const text = await runIp(machine, ["-json", ...args], {
    ...(signal && { signal }),
  });
  return text.trim() === "" ? [] : JSON.parse(text);
}

function reasonOf({ code, stderr }: Omit<ExecResult, "stdout">): string {
  return stderr.trim().split("\n")[0] || `exit code ${code}`;
}
