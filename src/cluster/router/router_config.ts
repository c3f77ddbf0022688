/** The configuration of haproxy in the Router Pod. */
import { hostPort } from "../../core/host_port.ts";
import {
  type RouterPort,
  type RouterState,
  slotCount,
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

/** Tells the kubelet that the router is ready, and the shell that it is needed. */
export const STATUS_FRONTEND = "status";

/** Name of the server, or their beginning, that is the Stuntman Service. */
const ORIGIN = "origin";

/** A variable of haproxy's: asking for it last shows where the answers end. */
export const END_MARK = "KTCTL_END";

export type RouterMaps = Readonly<
  Record<"marks" | "others", ReadonlyMap<string, string>>
>;

export function slotName(slot: number): string {
  return `s${slot}`;
}

/** Health is checked in one backend only; the same slot of the others follows it. */
export function checkedBackend({ ports }: Pick<RouterState, "ports">): string {
  return `h1_${ports[0]?.port}`;
}

/** `tcp` has no slots: it goes to the original alone. */
export function backends(
  { port }: RouterPort,
): { h1: string; h2: string; tcp: string } {
  return { h1: `h1_${port}`, h2: `h2_${port}`, tcp: `tcp_${port}` };
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

/** Set where the pod has IPv6: elsewhere haproxy does not start where it is told to listen there. */
export const IPV6_VARIABLE = "KTCTL_IPV6";

/** What of a router stays as it is for as long as its pod is there. */
export type FixedRouter = Pick<
  RouterState,
  "ports" | "statusPort" | "runtimePort" | "origin"
>;

/**
 * One port carries HTTP/1, h2c and anything else: what does not start like HTTP, or starts not at all
 * because the server speaks first, goes to the original as it is. Timeouts are a day, so that only
 * dead peers (keep-alive probes, after a minute in place of Linux' two hours) and nobody's long requests are cut. Frontends have no log: they would
 * write a line about each request, for nobody. What is not quite HTTP/1 passes where the original may
 * take it: no connection to a server is shared, so that nobody's request can hide in another's.
 *
 * In parts, one for each port: they go into the pod's own command, where Linux allows 128 KiB each.
 * Nobody's marks are in them: those are sent over the runtime API.
 */
export function routerConfig(router: FixedRouter): string[] {
  const { ports, statusPort, runtimePort } = router;
  const common = `# written by ktctl; changes are lost
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
  clitcpka-idle 60s
  clitcpka-intvl 10s
  option srvtcpka
  srvtcpka-idle 60s
  srvtcpka-intvl 10s
  option redispatch 1
  retries 2
frontend ${STATUS_FRONTEND}
  no log
  mode http
${binds(statusPort)}  monitor-uri /ready
`;
  return [common, ...ports.map((port) => portSections(router, port))];
}

/**
 * On whatever families the pod has, not those of the Service now: it may get another one, and the
 * kubelet looks at the pod's first.
 */
function binds(port: number): string {
  return `  bind 0.0.0.0:${port}
.if defined(${IPV6_VARIABLE})
  bind [::]:${port} v6only
.endif
`;
}

/**
 * A laptop counts as gone after two answers that say so or fail to come. One may be late on a busy
 * node; a pod that is silent altogether is passed over within 5 s all the same.
 */
const HEALTH_CHECK = "inter 1s fastinter 200ms downinter 200ms fall 2 rise 1";

/**
 * How long a connection may be silent before it counts as one whose server speaks first. It goes to the original
 * for good then, marks or none; with HTTP, browsers and pools open some long before they need them.
 */
const SPEAK_FIRST = "500ms";
const SPEAK_FIRST_HTTP = "24h";

/**
 * What haproxy's own look at the first request does not take for HTTP, as it is not quite that. It is
 * looked at in a variable: whoever looks at what comes in waits for more, up to the whole delay.
 */
const REQUEST_LINE = "^[A-Z]+ [^ ]+ HTTP/1[.][01]\\r?\\n";
/** Longer ones that are not quite HTTP go to the original. */
const MAX_ODD_LINE_BYTES = 8192;

function portSections(router: FixedRouter, port: RouterPort): string {
  const { h1, h2, tcp } = backends(port);
  const delay = port.isHttp ? SPEAK_FIRST_HTTP : SPEAK_FIRST;
  return `frontend port_${port.port}
  no log
  option accept-invalid-http-request
${binds(port.port)}  tcp-request inspect-delay ${delay}
  tcp-request content set-var(sess.h2) int(1) if { req.payload(0,3) -m str PRI }
  tcp-request content switch-mode http if HTTP
  tcp-request content set-var(sess.start) req.payload(0,0),bytes(0,${MAX_ODD_LINE_BYTES}) if { req.payload(0,1) -m reg ^[A-Z] }
  tcp-request content set-var(sess.odd) int(1) if { var(sess.start) -m reg '${REQUEST_LINE}' }
  tcp-request content unset-var(sess.start)
  tcp-request content switch-mode http if { var(sess.odd) -m int 1 }
  use_backend ${h2} if HTTP { var(sess.h2) -m int 1 }
  use_backend ${h1} if HTTP || { var(sess.odd) -m int 1 }
  default_backend ${tcp}
backend ${tcp}
${origins(router, port)}backend ${h1}
${httpRules()}${origins(router, port)}${slots(router, port, "h1")}backend ${h2}
${httpRules()}${origins(router, port, " proto h2")}${
    slots(router, port, "h2")
  }`;
}

/** The original; several times where a client, by its address, has to come by the same port each time. */
function origins(
  { origin }: FixedRouter,
  { servicePort, affinity }: RouterPort,
  words = "",
): string {
  const server = (name: string, port: number) =>
    `  server ${name} ${address(origin, port)} weight 1${words}\n`;
  if (affinity === undefined) return server(ORIGIN, servicePort);
  const { first, count } = affinity;
  const servers = Array.from(
    { length: count },
    (_, at) => server(`${ORIGIN}_${at}`, first + at),
  );
  return `  balance source\n  hash-type map-based sdbm avalanche\n${
    servers.join("")
  }`;
}

/** Whether a server of haproxy's is the original. */
export function isOrigin(server: string): boolean {
  return server === ORIGIN || server.startsWith(`${ORIGIN}_`);
}

/**
 * A slot that is down is passed over, and the origin is the only server with a weight. What separates
 * headers in `txn.headers` is taken out of them first: no value can pass for a header of its own.
 */
function httpRules(): string {
  return `  mode http
  option accept-invalid-http-response
  option http-no-delay
  option httpchk GET /ready
  http-reuse never
  http-request set-var(txn.mark) req.fhdr(${COMMON_HEADER})
  http-request set-var(txn.slot) str(${COMMON_HEADER}),concat(=,txn.mark),map_str(${MARKS_MAP}) if { var(txn.mark) -m found }
  http-request set-var(txn.headers) req.hdrs,regsub('[|]',' ',g),regsub('\\r\\n','|',g),regsub(': ','=',g) if { str(${OTHERS_FLAG}),map_str(${MARKS_MAP}) -m found }
  http-request set-var(txn.slot) str(|),concat(,txn.headers),map_sub(${OTHER_MARKS_MAP}) if { var(txn.headers) -m found } !{ var(txn.slot) -m found }
  use-server %[var(txn.slot)] if { var(txn.slot) -m found }
`;
}

/** All of them empty. In few words: there are many of these lines. */
function slots(
  router: FixedRouter,
  port: RouterPort,
  protocol: "h1" | "h2",
): string {
  const leader = checkedBackend(router);
  const isLeader = backends(port)[protocol] === leader;
  const words = protocol === "h2" ? " proto h2" : "";
  const lines = [
    `  default-server weight 0${words}${isLeader ? ` ${HEALTH_CHECK}` : ""}\n`,
  ];
  for (let slot = 1; slot <= slotCount(router); slot++) {
    const name = slotName(slot);
    const health = isLeader
      ? "check port 1 disabled"
      : `track ${leader}/${name}`;
    lines.push(`  server ${name} 127.0.0.1:1 ${health}\n`);
  }
  return lines.join("");
}

function address(host: string, port: number): string {
  return hostPort(host, port);
}
