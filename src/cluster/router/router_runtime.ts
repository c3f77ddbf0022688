/** haproxy's runtime API: brings a running router to its state without touching a connection. */
import { ClusterError, LinkError } from "../../core/errors.ts";
import type { KubeApi } from "../../kube/kube_api.ts";
import { readAll } from "../../core/read_all.ts";
import {
  backends,
  checkedBackend,
  END_MARK,
  isOrigin,
  MARKS_MAP,
  OTHER_MARKS_MAP,
  routerMaps,
  slotName,
} from "./router_config.ts";
import { type RouterState, slotCount } from "./router_state.ts";

/** A server as haproxy has it now. */
export interface RuntimeServer {
  readonly address: string;
  readonly port: number;
  readonly checkPort: number;
  /** Not in maintenance. */
  readonly isEnabled: boolean;
  /** Enabled, and its health check has passed. */
  readonly isUp: boolean;
}

export interface RuntimeState {
  readonly marks: ReadonlyMap<string, string>;
  readonly others: ReadonlyMap<string, string>;
  /** By `<backend>/<server>`. */
  readonly servers: ReadonlyMap<string, RuntimeServer>;
}

const TIMEOUT_MS = 5_000;
/** 256 ports have 17,000 servers, each a line of 200 characters; fewer ports have less, with all their slots. */
const MAX_BYTES = 8 * 1024 * 1024;
/** Of `srv_op_state` and `srv_check_result`. */
const RUNNING = 2;
const PASSED = 3;

export interface RouterAddress {
  readonly podName: string;
  readonly namespace: string;
  readonly runtimePort: number;
}

/** Sends commands, which haproxy carries out one after the other; returns all that it answered. */
export async function runtimeCommands(
  kube: KubeApi,
  { podName: name, namespace, runtimePort: port }: RouterAddress,
  { commands, signal }: {
    commands: readonly string[];
    signal: AbortSignal;
  },
): Promise<string> {
  if (kube.isPlan) throw notToldInPlan(name);
  const stream = await kube.portForward({ name, namespace, port }, {
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  try {
    stream.write(`${[...commands, `show env ${END_MARK}`].join(";")}\n`);
    const end = `${END_MARK}=1\n\n`;
    const text = await readAll(stream, {
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      maxBytes: MAX_BYTES,
      end,
    });
    return text.endsWith(end) ? text.slice(0, -end.length) : text;
  } finally {
    stream.destroy();
  }
}

/** What is told to a router is done, whatever became of the rest. */
function notToldInPlan(name: string): LinkError {
  return new LinkError(
    "NOT_IN_DRY_RUN",
    `Cannot tell Pod "${name}" its routes: a dry run speaks to nobody`,
  );
}

/** What haproxy does now. */
export async function readRuntime(
  kube: KubeApi,
  router: RouterAddress,
  signal: AbortSignal,
): Promise<RuntimeState> {
  const commands = [
    `show map ${MARKS_MAP}`,
    `show map ${OTHER_MARKS_MAP}`,
    "show servers state",
  ];
  const text = await runtimeCommands(kube, router, { commands, signal });
  return parseRuntime(text);
}

/** Each answer ends with an empty line. Throws `ClusterError` (`ROUTER_ANSWER`). */
export function parseRuntime(text: string): RuntimeState {
  const lines = text.split("\n");
  const firstEnd = lines.indexOf("");
  const secondEnd = lines.indexOf("", firstEnd + 1);
  const rows = lines.slice(secondEnd + 1);
  const header = rows.find((line) => line.startsWith("# be_id"));
  if (header === undefined) {
    throw new ClusterError(
      "ROUTER_ANSWER",
      `Cannot read what the router answers: "${text.slice(0, 200)}"`,
    );
  }
  const columns = header.slice(2).split(" ");
  const servers = rows.filter((line) => /^\d+ \S+ \d+ /.test(line)).map(
    (line) => {
      const cells = line.split(" ");
      return Object.fromEntries(columns.map((name, at) => [name, cells[at]]));
    },
  );
  return {
    marks: mapOf(lines.slice(0, firstEnd)),
    others: mapOf(lines.slice(firstEnd + 1, secondEnd)),
    servers: new Map(
      servers.map((row) => [`${row.be_name}/${row.srv_name}`, {
        address: row.srv_addr ?? "",
        port: Number(row.srv_port),
        checkPort: Number(row.srv_check_port),
        isEnabled: Number(row.srv_admin_state) % 2 === 0,
        isUp: Number(row.srv_op_state) === RUNNING &&
          Number(row.srv_check_result) >= PASSED,
      }]),
    ),
  };
}

/** Lines of `show map`: a pointer, the key, the value. */
function mapOf(lines: readonly string[]): Map<string, string> {
  return new Map(lines.map((line) => {
    const [, key = "", value = ""] = line.split(" ");
    return [key, value];
  }));
}

/**
 * The commands that make `actual` what `state` wants. A mark comes after its server, and goes before
 * it. Maintenance ends no connection.
 */
export function runtimeChanges(
  state: RouterState,
  actual: RuntimeState,
  origin?: string,
): string[] {
  const { marks, others } = routerMaps(state);
  return [
    ...removedMarks(MARKS_MAP, marks, actual.marks),
    ...removedMarks(OTHER_MARKS_MAP, others, actual.others),
    ...(origin === undefined ? [] : originChanges(state, actual, origin)),
    ...serverChanges(state, actual),
    ...addedMarks(OTHER_MARKS_MAP, others, actual.others),
    ...addedMarks(MARKS_MAP, marks, actual.marks),
  ];
}

type Marks = ReadonlyMap<string, string>;

function removedMarks(file: string, wanted: Marks, actual: Marks): string[] {
  return [...actual].filter(([key, slot]) => wanted.get(key) !== slot)
    .map(([key]) => `del map ${file} ${key}`);
}

function addedMarks(file: string, wanted: Marks, actual: Marks): string[] {
  return [...wanted].filter(([key, slot]) => actual.get(key) !== slot)
    .map(([key, slot]) => `add map ${file} ${key} ${slot}`);
}

/** The Stuntman Service may have been made anew, at another address. */
function originChanges(
  { ports }: RouterState,
  actual: RuntimeState,
  origin: string,
): string[] {
  const ours = new Set(ports.flatMap((port) => Object.values(backends(port))));
  return [...actual.servers].filter(([name, { address }]) => {
    const [backend = "", server = ""] = name.split("/");
    return ours.has(backend) && isOrigin(server) && address !== origin;
  }).map(([name, { port }]) =>
    `set server ${name} addr ${origin} port ${port}`
  );
}

function serverChanges(state: RouterState, actual: RuntimeState): string[] {
  const commands: string[] = [];
  const leader = checkedBackend(state);
  for (let slot = 1; slot <= slotCount(state); slot++) {
    const name = slotName(slot);
    const checked = `${leader}/${name}`;
    const current = actual.servers.get(checked);
    if (current === undefined) continue; // a router with other ports: it is made anew
    const target = state.participants.find((one) => one.slot === slot)?.target;
    if (target === undefined) {
      if (current.isEnabled) commands.push(`set server ${checked} state maint`);
      continue;
    }
    let isMoved = false;
    for (const port of state.ports) {
      const { h1, h2 } = backends(port);
      for (const backend of [h1, h2]) {
        const server = actual.servers.get(`${backend}/${name}`);
        if (
          server?.address === target.host && server.port === port.servicePort
        ) continue;
        isMoved = true;
        commands.push(
          `set server ${backend}/${name} addr ${target.host} port ${port.servicePort}`,
        );
      }
    }
    if (current.checkPort !== target.checkPort) {
      commands.push(`set server ${checked} check-port ${target.checkPort}`);
    }
    if (isMoved && current.isEnabled) {
      // somebody else's, before: its connections stay, and its health counts no more
      commands.push(`set server ${checked} state maint`);
    }
    if (isMoved || !current.isEnabled) {
      commands.push(
        `set server ${checked} state ready`,
        // by itself it would count as up until its first check, with what the last check of before said
        `set server ${checked} health down`,
      );
    }
  }
  return commands;
}

/** Client connections through the router now, our own and the kubelet's aside. */
export async function openConnections(
  kube: KubeApi,
  router: RouterAddress,
  signal: AbortSignal,
): Promise<number> {
  if (kube.isPlan) return 0; // by then there may be none
  const text = await runtimeCommands(kube, router, {
    commands: ["show stat"],
    signal,
  });
  const lines = text.split("\n").filter((line) => line !== "");
  const columns = (lines[0] ?? "").replace(/^# /, "").split(",");
  const [name, kind, current] = ["pxname", "svname", "scur"].map((column) =>
    columns.indexOf(column)
  ) as [number, number, number];
  return lines.slice(1).map((line) => line.split(","))
    .filter((cells) =>
      cells[kind] === "FRONTEND" && cells[name]?.startsWith("port_")
    )
    .reduce((sum, cells) => sum + Number(cells[current]), 0);
}
