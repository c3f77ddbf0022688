import { ageText } from "./age_text.ts";
import type { ListEvent } from "../../core/report.ts";
import { type RunningSession, targetOf } from "../running/running_sessions.ts";

/** The sessions of this laptop, as `status` tells of them. */
export function sessionList(sessions: readonly RunningSession[]): ListEvent {
  const items = sessions.map(sessionItem);
  return {
    event: "list",
    kind: "sessions",
    items,
    table: {
      columns: COLUMNS,
      rows: items.map((item) => [
        item.verb,
        item.target,
        item.namespace,
        item.context,
        item.state,
        item.link?.state === "none" ? "" : item.link?.state ?? "",
        ageText(item.since),
        String(item.connections ?? ""),
        withoutLaptop(item.failOpen),
        item.session,
      ]),
    },
  };
}

const COLUMNS = [
  "VERB",
  "TARGET",
  "NAMESPACE",
  "CONTEXT",
  "STATE",
  "LINK",
  "AGE",
  "CONNECTIONS",
  "WITHOUT LAPTOP",
  "SESSION",
];

function withoutLaptop(failOpen: boolean | undefined): string {
  if (failOpen === undefined) return "";
  return failOpen ? "original answers" : "nobody answers";
}

interface SessionItem {
  readonly session: string;
  readonly verb: string;
  /** As its user named it. */
  readonly target: string;
  readonly namespace: string;
  readonly context: string;
  readonly server: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** `silent`: its process lives, and does not answer. */
  readonly state: "starting" | "ready" | "closing" | "silent";
  /** Why it is silent. */
  readonly reason?: string;
  readonly link?: { readonly state: string; readonly since?: string };
  readonly connections?: number;
  readonly failOpen?: boolean;
  readonly ready?: Readonly<Record<string, unknown>>;
  readonly log?: string;
}

function sessionItem(session: RunningSession): SessionItem {
  const { header, status, silence } = session;
  const { command, namespace, context, server, pid, log } = header;
  const failOpen = status?.ready?.failOpen;
  return {
    session: header.session,
    verb: command.split(" ")[0]!,
    target: targetOf(header),
    ...{ namespace, context, server, pid },
    since: new Date(header.startedAt * 1000).toISOString(),
    state: status?.state ?? "silent",
    ...(silence === undefined ? {} : { reason: silence }),
    ...status,
    ...(typeof failOpen === "boolean" ? { failOpen } : {}),
    ...(log === undefined ? {} : { log }),
  };
}
