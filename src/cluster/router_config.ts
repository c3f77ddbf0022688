/** The configuration of haproxy in the Router Pod. */
import { markText } from "./mesh_mark.ts";
import {
  MAX_PARTICIPANTS,
  type Participant,
  type RouterPort,
  type RouterState,
} from "./router_state.ts";

/** Where the files stand in the pod. */
export const ROUTER_DIR = "/ktctl/router";
/** Slots by `<header>=<value>`, for the header `version`. */
export const MARKS_MAP = `${ROUTER_DIR}/marks.map`;
/** Slots by `|<header>=<value>|`, for any other header. */
export const OTHER_MARKS_MAP = `${ROUTER_DIR}/other-marks.map`;

/** The header that most marks are in: looked up without a look at all the others. */
const COMMON_HEADER = "version";
/** In {@link MARKS_MAP} while {@link OTHER_MARKS_MAP} holds anything: else no request pays for it. */
const OTHERS_FLAG = "others";

/** A variable of haproxy's: asking for it last shows where the answers end. */
export const END_MARK = "KTCTL_END";

export type RouterMaps = Readonly<
  Record<"marks" | "others", ReadonlyMap<string, string>>
>;

export function slotName(slot: number): string {
  return `s${slot}`;
}

/** Health is checked in one backend only; the same slot of the others follows it. */
export function checkedBackend({ ports }: RouterState): string {
  return `h1_${ports[0]?.port}`;
}

export function backends({ port }: RouterPort): { h1: string; h2: string } {
  return { h1: `h1_${port}`, h2: `h2_${port}` };
}

/** What the maps hold: the marks of all who have a Shadow Pod. */
export function routerMaps({ participants }: RouterState): RouterMaps {
  const marks = new Map<string, string>();
  const others = new Map<string, string>();
  for (const { mark: { key, value }, slot, target } of participants) {
    if (target === undefined) continue;
    if (key === COMMON_HEADER) marks.set(`${key}=${value}`, slotName(slot));
    else others.set(`|${key}=${value}|`, slotName(slot));
  }
  if (others.size > 0) marks.set(OTHERS_FLAG, "1");
  return { marks, others };
}

/** The files of the ConfigMap, beside the state itself. */
export function routerFiles(state: RouterState): Record<string, string> {
  const { marks, others } = routerMaps(state);
  return {
    "haproxy.cfg": routerConfig(state),
    "marks.map": mapFile(marks),
    "other-marks.map": mapFile(others),
  };
}

function mapFile(map: ReadonlyMap<string, string>): string {
  return [...map].map(([key, value]) => `${key} ${value}\n`).join("");
}

/**
 * One port carries HTTP/1, h2c and anything else: what does not start like HTTP, or starts not at all
 * because the server speaks first, goes to the original as it is. Timeouts are a day, so that only
 * dead peers (keep-alive probes) and nobody's long requests are cut.
 */
export function routerConfig(state: RouterState): string {
  const { ports, statusPort, runtimePort, participants } = state;
  return `# written by ktctl; changes are lost
global
  stats socket ipv4@127.0.0.1:${runtimePort} level admin
  fd-hard-limit 65536
  setenv ${END_MARK} 1
  hard-stop-after 1h
  tune.bufsize 65536
  tune.http.maxhdr 1000
  log stdout format raw daemon warning
defaults
  mode tcp
  log global
  timeout connect 5s
  timeout client 24h
  timeout server 24h
  timeout tunnel 24h
  timeout check 1500ms
  option clitcpka
  option srvtcpka
  option redispatch 1
  retries 2
frontend status
  mode http
${binds(state, statusPort)}  monitor-uri /ready
${participants.map(participantLine).join("")}${
    ports.map((port) => portSections(state, port)).join("")
  }`;
}

/** For people who read the file. */
function participantLine({ slot, user, mark }: Participant): string {
  return `# ${slotName(slot)}: ${user.replaceAll(/\s/g, " ")}, ${
    markText(mark)
  }\n`;
}

function binds({ ipv6 }: RouterState, port: number): string {
  const lines = [`  bind 0.0.0.0:${port}\n`];
  // naming :: where the pod has no IPv6 would keep haproxy from starting
  if (ipv6) lines.push(`  bind [::]:${port} v6only\n`);
  return lines.join("");
}

/**
 * A laptop counts as gone after two answers that say so or fail to come. One may be late on a busy
 * node; a pod that is silent altogether is passed over within 5 s all the same.
 */
const HEALTH_CHECK = "inter 1s fastinter 200ms downinter 200ms fall 2 rise 1";

/** How long a connection may be silent before it counts as one whose server speaks first. */
const SPEAK_FIRST_MS = 500;

function portSections(state: RouterState, port: RouterPort): string {
  const { h1, h2 } = backends(port);
  const origin = address(state.origin, port.servicePort);
  return `frontend port_${port.port}
${binds(state, port.port)}  tcp-request inspect-delay ${SPEAK_FIRST_MS}ms
  tcp-request content set-var(sess.h2) int(1) if { req.payload(0,3) -m str PRI }
  tcp-request content switch-mode http if HTTP
  use_backend ${h2} if HTTP { var(sess.h2) -m int 1 }
  use_backend ${h1} if HTTP
  default_backend tcp_${port.port}
backend tcp_${port.port}
  server origin ${origin}
backend ${h1}
${httpRules()}  server origin ${origin} weight 1
${slots(state, port, "h1")}backend ${h2}
${httpRules()}  server origin ${origin} weight 1 proto h2
${slots(state, port, "h2")}`;
}

/**
 * A slot that is down is passed over, and the origin is the only server with a weight. What separates
 * headers in `txn.headers` is taken out of them first: no value can pass for a header of its own.
 */
function httpRules(): string {
  return `  mode http
  option http-no-delay
  option httpchk GET /ready
  http-reuse never
  http-request set-var(txn.mark) req.fhdr(${COMMON_HEADER})
  http-request set-var(txn.slot) str(${COMMON_HEADER}),concat(=,txn.mark),map_str(${MARKS_MAP})
  http-request set-var(txn.headers) req.hdrs,regsub('[|]',' ',g),regsub('\\r\\n','|',g),regsub(': ','=',g) if { str(${OTHERS_FLAG}),map_str(${MARKS_MAP}) -m found }
  http-request set-var(txn.slot) str(|),concat(,txn.headers),map_sub(${OTHER_MARKS_MAP}) if { var(txn.headers) -m found } !{ var(txn.slot) -m found }
  use-server %[var(txn.slot)] if { var(txn.slot) -m found }
`;
}

function slots(
  state: RouterState,
  port: RouterPort,
  protocol: "h1" | "h2",
): string {
  const leader = checkedBackend(state);
  const isLeader = backends(port)[protocol] === leader;
  const lines: string[] = [];
  for (let slot = 1; slot <= MAX_PARTICIPANTS; slot++) {
    const { target } = state.participants.find((one) => one.slot === slot) ??
      {};
    const name = slotName(slot);
    const to = target === undefined
      ? "127.0.0.1:1"
      : address(target.host, port.servicePort);
    const words = [`  server ${name} ${to} weight 0`];
    if (protocol === "h2") words.push("proto h2");
    if (isLeader) {
      words.push(
        `check port ${target?.checkPort ?? 1} ${HEALTH_CHECK}`,
      );
      if (target === undefined) words.push("disabled");
    } else words.push(`track ${leader}/${name}`);
    lines.push(`${words.join(" ")}\n`);
  }
  return lines.join("");
}

function address(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
