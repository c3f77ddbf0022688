/** Whether this machine can build and run the demo's Kubernetes. */
import { access, constants, readdir, readFile, statfs } from "node:fs/promises";
import { homedir } from "node:os";

/** Where the cluster is built and runs, as cluster.sh has it. */
export const CLUSTER_HOME: string = Deno.env.get("K8S_HOME") ??
  `${Deno.env.get("XDG_CACHE_HOME") ?? `${homedir()}/.cache`}/ktctl-k8s`;

/** The servers of the Kubernetes that the demo takes. */
const SERVERS = `${CLUSTER_HOME}/bin-1.37`;

/** What a machine has, as far as the demo depends on it. */
export interface MachineFacts {
  readonly os: string;
  readonly uid: number | null;
  /** Of the processor, as Deno names it. */
  readonly arch: string;
  /** Whether Debian's packages can be had. */
  readonly hasApt: boolean;
  /** The bits of `CapEff`. */
  readonly capabilities: bigint;
  readonly hasWritableCgroups: boolean;
  readonly isBuilt: boolean;
  readonly freeBytes: number;
}

/** Of a build from nothing: sources, compiler cache, packages, images; and of a cluster that runs. */
export const BUILD_BYTES = 7e9;
export const RUN_BYTES = 1e9;

const CAPABILITIES = { CAP_NET_ADMIN: 12n, CAP_SYS_ADMIN: 21n };
const ELSEWHERE =
  "or name a cluster that is there already: KTCTL_TEST_KUBECONFIG=<file>";

/** What is in the way and what to do about it; undefined where nothing is. */
export function machineObstacle(facts: MachineFacts): string | undefined {
  if (facts.os !== "linux") {
    return `It needs Linux, and this is ${facts.os}: run it in a virtual machine with Debian 12, ${ELSEWHERE}`;
  }
  if (facts.uid !== 0) {
    return `It needs root, as it starts a kubelet and makes network namespaces: begin with sudo, ${ELSEWHERE}`;
  }
  if (!facts.hasApt || facts.arch !== "x86_64") {
    const lack = facts.hasApt
      ? `an x86-64 processor, and this is ${facts.arch}`
      : "apt, for etcd, containerd and runc, and there is no apt-get here";
    return `It needs ${lack}: run it in a virtual machine with Debian 12, ${ELSEWHERE}`;
  }
  const missing = Object.entries(CAPABILITIES)
    .filter(([, bit]) => (facts.capabilities >> bit & 1n) === 0n)
    .map(([name]) => name);
  if (missing.length > 0 || !facts.hasWritableCgroups) {
    const lack = missing.length > 0
      ? missing.join(" and ")
      : "a /sys/fs/cgroup that can be written to";
    return `It needs ${lack}, which a container does not have by itself: start the container with --privileged, ${ELSEWHERE}`;
  }
  const needed = facts.isBuilt ? RUN_BYTES : BUILD_BYTES;
  if (facts.freeBytes < needed) {
    return `It needs ${gigabytes(needed)} of disk, and ${
      gigabytes(facts.freeBytes)
    } are free: make room, or name another folder in XDG_CACHE_HOME, ${ELSEWHERE}`;
  }
  return undefined;
}

export function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

export async function machineFacts(): Promise<MachineFacts> {
  const os = Deno.build.os;
  const status = os === "linux" ? await textOf("/proc/self/status") : "";
  return {
    os,
    uid: Deno.uid(),
    arch: Deno.build.arch,
    hasApt: await isThere("/usr/bin/apt-get"),
    capabilities: BigInt(
      `0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1] ?? "0"}`,
    ),
    hasWritableCgroups: await isWritable("/sys/fs/cgroup"),
    isBuilt: await isBuilt(),
    freeBytes: await freeBytes(CLUSTER_HOME),
  };
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    return "";
  }
}

const isThere = (path: string) => allows(path, constants.F_OK);
const isWritable = (path: string) => allows(path, constants.W_OK);

async function allows(path: string, mode: number): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch {
    return false;
  }
}

async function isBuilt(): Promise<boolean> {
  try {
    const names = await readdir(SERVERS);
    return names.some((name) => name.startsWith(".built-"));
  } catch {
    return false;
  }
}

/** Of the file system where the folder is, or will be. */
async function freeBytes(folder: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return bavail * bsize;
  } catch (error) {
    const parent = folder.slice(0, folder.lastIndexOf("/")) || "/";
    if (parent === folder) throw error;
    return await freeBytes(parent);
  }
}
