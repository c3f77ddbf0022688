// Requests from inside the cluster that go on while its API server is away.
import { type ClientPod, succeeded } from "./cluster.ts";

export interface LoggedRequest {
  /** Seconds of the node's clock since it was started. */
  readonly at: number;
  /** Which pod or laptop answered; undefined where nobody did. */
  readonly answer: string | undefined;
}

export interface RequestLog {
  soFar(): Promise<string>;
  /** All of them, when it has ended. */
  read(): Promise<LoggedRequest[]>;
  /** Ends it before its time. */
  end(): Promise<void>;
}

/**
 * Asks `http://web/` some ten times a second, as a process of the client pod that needs no `exec`
 * session to stay alive. It ends by itself after `seconds`.
 */
export async function startRequestLog(
  client: Pick<ClientPod, "exec">,
  seconds: number,
  { connectSeconds = 1 } = {},
): Promise<RequestLog> {
  const file = `/tmp/requests-${crypto.randomUUID()}`;
  const loop = `
    end=$(( $(cut -d. -f1 /proc/uptime) + ${seconds} ))
    while [ "$(cut -d. -f1 /proc/uptime)" -lt "$end" ] && [ ! -e ${file}.stop ]; do
      at=$(cut -d' ' -f1 /proc/uptime)
      answer=$(curl -s --connect-timeout ${connectSeconds} -m 3 http://web/ || echo FAILED)
      echo "$at $answer"
      sleep 0.1
    done > ${file}.log; touch ${file}.done`;
  succeeded(
    await client.exec([
      "sh",
      "-c",
      `setsid sh -c '${loop.replaceAll("'", `'\\''`)}' >/dev/null 2>&1 &`,
    ]),
  );
  return {
    async soFar() {
      return (await client.exec(["cat", `${file}.log`])).stdout;
    },
    async end() {
      succeeded(await client.exec(["touch", `${file}.stop`]));
    },
    async read() {
      const wait =
        `for i in $(seq 600); do [ -e ${file}.done ] && break; sleep 0.1; done; cat ${file}.log`;
      const text = succeeded(
        await client.exec(["sh", "-c", wait], { timeout: 90_000 }),
      );
      return text.trim().split("\n").map((line) => {
        const [at, ...rest] = line.split(" ");
        const answer = /pod=(\S+)/.exec(rest.join(" "))?.[1];
        return { at: Number(at), answer };
      });
    },
  };
}

/** Seconds from an answer to the next one, or to the last request, where requests failed between them. */
export function gapsOf(requests: readonly LoggedRequest[]): number[] {
  const gaps: number[] = [];
  let answeredAt = requests[0]!.at;
  let isFailing = false;
  for (const { at, answer } of requests) {
    if (answer === undefined) isFailing = true;
    else {
      if (isFailing) gaps.push(at - answeredAt);
      isFailing = false;
      answeredAt = at;
    }
  }
  if (isFailing) gaps.push(requests.at(-1)!.at - answeredAt);
  return gaps;
}
