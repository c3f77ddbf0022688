/** The `--expose` option, and what its numbers mean for a Service. */
import { UnsupportedError, UsageError } from "../../core/errors.ts";
import type { KubeObject } from "../../kube/kube_api.ts";

/** One item of `--expose`: `port` or `local:port`. */
export interface ExposedPort {
  readonly local: number;
  /** The Service's `port`. */
  readonly remote: number;
}

/** Reads `80,8080:81`. Throws `UsageError` (`EXPOSE_INVALID`). */
export function parseExpose(text: string): ExposedPort[] {
  const ports = text.split(",").map((item) => parseItem(item.trim(), text));
  const seen = new Set<number>();
  for (const { remote } of ports) {
    if (seen.has(remote)) throw invalid(`port ${remote} is named twice`, text);
    seen.add(remote);
  }
  return ports;
}

function parseItem(item: string, text: string): ExposedPort {
  const match = /^(\d+)(?::(\d+))?$/.exec(item);
  if (match === null) {
    throw invalid(
      item === ""
        ? "an item is empty"
        : `"${item}" is neither a port nor local:port`,
      text,
    );
  }
  const local = Number(match[1]);
  const remote = match[2] === undefined ? local : Number(match[2]);
  for (const port of [local, remote]) {
    if (port < 1 || port > 65535) {
      throw invalid(`port ${port} is not between 1 and 65535`, text);
    }
  }
  return { local, remote };
}

function invalid(reason: string, text: string): UsageError {
  return new UsageError(
    "EXPOSE_INVALID",
    `Cannot read the ports "${text}": ${reason}`,
    {
      hint:
        "Write ports as 8080 or local:port, separated by commas, such as 8080:80,9000.",
    },
  );
}

/** A port of a Service. */
export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort: number | string;
  readonly protocol: string;
}

/** How one port of the Service is to be served. */
export interface PortRoute {
  readonly servicePort: ServicePort;
  /** The port on this laptop; none where the user exposed neither this port of the Service nor one with its targetPort. */
  readonly local?: number;
}

/** The ports of a Service, with defaults filled in. */
export function servicePorts(service: KubeObject): ServicePort[] {
  // deno-lint-ignore no-explicit-any -- open JSON of the API
  return (service.spec?.ports ?? []).map((port: any) => ({
    ...(port.name === undefined ? {} : { name: port.name }),
    port: port.port,
    targetPort: port.targetPort ?? port.port,
    protocol: port.protocol ?? "TCP",
  }));
}

/** What is to be told of `--expose`: a warning's code and its text. */
export type ExposeNote = (
  code: "TARGET_PORT" | "TARGET_PORT_SHARED",
  message: string,
) => void;

/**
 * Pairs each exposed number with a port of the Service: its `port` first, else a `targetPort`
 * (with a note to `note`). Unexposed ports come without `local`, but for those that have the targetPort
 * of an exposed one (with a note too): a pod cannot tell their connections apart.
 * Throws `UsageError` (`EXPOSE_UNKNOWN_PORT`, `EXPOSE_INVALID`) or `UnsupportedError` (`UDP_PORT`).
 */
export function routePorts(
  service: KubeObject,
  exposed: readonly ExposedPort[],
  note: ExposeNote = () => {},
): PortRoute[] {
  const ports = servicePorts(service);
  const name = service.metadata.name;
  const locals = new Map<ServicePort, number>();
  for (const { local, remote } of exposed) {
    const port = findPort(ports, remote);
    if (port === undefined) {
      throw new UsageError(
        "EXPOSE_UNKNOWN_PORT",
        `Cannot expose port ${remote}: Service "${name}" has no such port`,
        {
          hint: `Its ports are ${
            ports.map(describePort).join(", ")
          }; write local:port to use another local port.`,
        },
      );
    }
    if (port.protocol !== "TCP") throw notTcp(name, port);
    if (locals.has(port)) {
      throw new UsageError(
        "EXPOSE_INVALID",
        `Cannot expose port ${port.port} of Service "${name}" twice`,
        {
          hint: "Name each port of the Service once.",
        },
      );
    }
    if (port.port !== remote) {
      note(
        "TARGET_PORT",
        `${remote} is the targetPort of port ${port.port} of Service "${name}": taking port ${port.port}`,
      );
    }
    locals.set(port, local);
  }
  const byTarget = exposedTargets(name, locals);
  return ports.map((servicePort) => {
    const { protocol, targetPort, port } = servicePort;
    const exposed = protocol === "TCP" ? byTarget.get(targetPort) : undefined;
    if (exposed === undefined) return { servicePort };
    const { local } = exposed;
    if (!locals.has(servicePort)) {
      note(
        "TARGET_PORT_SHARED",
        `Port ${port} of Service "${name}" comes to localhost:${local} as well: it has the targetPort of port ${exposed.port}`,
      );
    }
    return { servicePort, local };
  });
}

/** The exposed port for each targetPort. Throws `UsageError` (`EXPOSE_INVALID`) where there are two that differ. */
function exposedTargets(
  service: string,
  locals: ReadonlyMap<ServicePort, number>,
): Map<ServicePort["targetPort"], { port: number; local: number }> {
  const byTarget = new Map<
    ServicePort["targetPort"],
    { port: number; local: number }
  >();
  for (const [{ port, targetPort }, local] of locals) {
    const first = byTarget.get(targetPort);
    if (first === undefined) byTarget.set(targetPort, { port, local });
    if (first === undefined || first.local === local) continue;
    throw new UsageError(
      "EXPOSE_INVALID",
      `Cannot bring ports ${first.port} and ${port} of Service "${service}" to different local ports: both have the targetPort ${targetPort}, and a pod cannot tell their connections apart`,
      {
        hint:
          `Give both the same local port, such as ${first.local}:${first.port},${first.local}:${port}.`,
      },
    );
  }
  return byTarget;
}

function findPort(
  ports: readonly ServicePort[],
  number: number,
): ServicePort | undefined {
  const tcpFirst = [...ports].sort((a, b) =>
    Number(b.protocol === "TCP") - Number(a.protocol === "TCP")
  );
  return tcpFirst.find(({ port }) => port === number) ??
    tcpFirst.find(({ targetPort }) => targetPort === number);
}

function describePort(
  { port, targetPort, protocol, name }: ServicePort,
): string {
  const target = targetPort === port ? "" : ` (targetPort ${targetPort})`;
  return `${port}${protocol === "TCP" ? "" : `/${protocol}`}${
    name === undefined ? "" : ` ${name}`
  }${target}`;
}

function notTcp(
  service: string,
  { port, protocol }: ServicePort,
): UnsupportedError {
  return new UnsupportedError(
    "UDP_PORT",
    `Cannot expose port ${port} of Service "${service}": it is ${protocol}`,
    {
      hint: "ktctl can bring only TCP ports to the laptop.",
    },
  );
}
