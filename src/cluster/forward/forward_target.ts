/** The arguments of `ktctl forward`. */
import { isIP } from "node:net";
import { UsageError } from "../../core/errors.ts";

/** A Service, Pod or Deployment of the namespace. */
export interface ResourceTarget {
  readonly kind: "service" | "pod" | "deployment";
  readonly name: string;
  /** Number or name. @default the only one that it has */
  readonly port?: number | string;
  /** 0: any that is free. @default the same as `port` */
  readonly local?: number;
}

/** Anything that the cluster reaches. */
export interface AddressTarget {
  readonly kind: "address";
  readonly host: string;
  readonly port: number;
  /** 0: any that is free. */
  readonly local: number;
}

export type ForwardTarget = ResourceTarget | AddressTarget;

const KINDS: Readonly<Record<string, ResourceTarget["kind"]>> = {
  svc: "service",
  service: "service",
  services: "service",
  po: "pod",
  pod: "pod",
  pods: "pod",
  deploy: "deployment",
  deployment: "deployment",
  deployments: "deployment",
};

/**
 * @param target `web`, `svc/web`, `pod/x`, `deploy/x`, `host:port`, or a host with a dot in it.
 * @param ports `port`, `local:port` or `:port`; after `host:port` the local port alone.
 * @throws {UsageError} `FORWARD_INVALID`.
 */
export function parseForwardTarget(
  target: string,
  ports?: string,
): ForwardTarget {
  const wanted = parsePorts(ports);
  const address = parseAddress(target);
  if (address !== undefined) return withPorts(address, wanted, target);
  const [, kind = "svc", name] = /^(?:([^/]*)\/)?([^/:\s]+)$/.exec(target) ??
    [];
  const known = Object.hasOwn(KINDS, kind.toLowerCase());
  if (name === undefined || !known) {
    throw invalid(`Cannot read "${target}" as a target`);
  }
  return { kind: KINDS[kind.toLowerCase()]!, name, ...wanted };
}

interface Ports {
  readonly local?: number;
  readonly port?: number | string;
}

function parsePorts(text: string | undefined): Ports {
  if (text === undefined) return {};
  const [, first = "", colon, second = ""] =
    /^([^:]*)(?:(:)([^:]+))?$/.exec(text) ?? [];
  const local = first === "" ? 0 : parsePort(first);
  const port = colon === undefined ? local : parsePort(second);
  const isWhole = colon === undefined ? first !== "" : second !== "";
  if (!isWhole || port === undefined) {
    throw invalid(`Cannot read "${text}" as ports`);
  }
  // a name alone, or 0 alone
  if (colon === undefined && typeof port === "string") return { port };
  if (colon === undefined && port === 0) return { local: 0 };
  if (port === 0 || typeof local !== "number") {
    throw invalid(`Cannot read "${text}" as ports`);
  }
  return { local, port };
}

/** A number, a port's name, or `undefined`. */
function parsePort(text: string): number | string | undefined {
  if (/^\d+$/.test(text)) {
    return Number(text) <= 65_535 ? Number(text) : undefined;
  }
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? text : undefined;
}

function parseAddress(
  text: string,
): { host: string; port?: number } | undefined {
  if (text.includes("/")) return undefined;
  if (isIP(text) !== 0) return { host: text };
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d+)$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host !== undefined) {
    const isPort = Number(port) > 0 && Number(port) <= 65_535;
    const isHost = bracketed === undefined || isIP(bracketed) === 6;
    if (isPort && isHost) return { host, port: Number(port) };
    throw invalid(`Cannot read "${text}" as host:port`);
  }
  return /^[^:[\]\s]+\.[^:[\]\s]+$/.test(text) ? { host: text } : undefined;
}

function withPorts(
  { host, port }: { host: string; port?: number },
  wanted: Ports,
  text: string,
): AddressTarget {
  if (port === undefined) {
    if (typeof wanted.port !== "number") {
      throw invalid(`Cannot forward to "${text}": missing port number`);
    }
    return {
      kind: "address",
      host,
      port: wanted.port,
      local: wanted.local ?? wanted.port,
    };
  }
  const { local = port, port: again } = wanted;
  if (again !== undefined && again !== local && again !== port) {
    throw invalid(`Cannot forward to "${text}" and to port ${again} at once`);
  }
  return { kind: "address", host, port, local };
}

function invalid(message: string): UsageError {
  return new UsageError("FORWARD_INVALID", message, {
    hint:
      "Write `forward web 8080:80`, with a Service (web or svc/web), pod/x or deploy/x; or `forward db.example.com:5432 15432`.",
  });
}
