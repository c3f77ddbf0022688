/** Starts, ends and kills dns_session.ts in a namespace, and asks what libc says there. */
import assert from "node:assert/strict";
import { CLUSTER_DNS, type DnsNamespace, firstLine } from "./dns_namespace.ts";

const POD_RESOLV_CONF = `nameserver ${CLUSTER_DNS}
search default.svc.cluster.local svc.cluster.local cluster.local
options ndots:5
`;

function script(space: DnsNamespace, name: string): string[] {
  const journals = `${space.folder}/journals`;
  return ["run", "-A", "--quiet", `test/netns/${name}`, journals];
}

/** A session in the namespace, ready. */
export async function startSession(
  space: DnsNamespace,
): Promise<Deno.ChildProcess> {
  const child = space.spawn(Deno.execPath(), [
    ...script(space, "dns_session.ts"),
    POD_RESOLV_CONF,
  ], { stdin: "piped", stdout: "piped" });
  await firstLine(child.stdout);
  return child;
}

export async function endSession(session: Deno.ChildProcess): Promise<void> {
  await session.stdin.close();
  const { success } = await session.status;
  await session.stdout.cancel();
  assert.ok(success);
}

export async function killSession(session: Deno.ChildProcess): Promise<void> {
  session.kill("SIGKILL");
  await session.status;
  await session.stdout.cancel();
  await session.stdin.close().catch(() => {});
}

/** What the next helper does after a kill. */
export async function sweep(space: DnsNamespace): Promise<void> {
  await space.output(Deno.execPath(), ...script(space, "dns_sweep.ts"));
}

/** What libc says: the address, and its name for the host. */
export async function getent(
  space: DnsNamespace,
  name: string,
): Promise<string> {
  const { stdout } = await space.run("getent", ["ahostsv4", name]);
  const [address = "", , canonical = ""] = stdout.split("\n")[0]
    ?.split(/\s+/) ?? [];
  return address === "" ? "none" : `${address} ${canonical}`.trim();
}
