import type { Duplex } from "node:stream";
import { frame, FrameReader } from "../wire/frame_reader.ts";
import { NameServers } from "../dns/name_servers.ts";
import { nameserverAddress } from "../dns/parse_resolv_conf.ts";
import type { ResolvConf } from "../wire/resolv_conf.ts";
import type { Opened } from "./opened.ts";

/** More at once are refused: each has a socket of its own. */
const MOST_AT_ONCE = 500;
const HEADER_BYTES = 12;
const SERVFAIL = 2;
const REFUSED = 5;
/** Below the patience of a client, which is to get an error rather than nothing. */
const TIMEOUT_MS = 4_000;

/** Answers the DNS messages of one channel, each as soon as it can. */
export function openDns({ nameservers }: ResolvConf): Opened {
  const servers = new NameServers(nameservers.map(nameserverAddress));
  return {
    serve(stream: Duplex): void {
      const gone = new AbortController();
      let underWay = 0;
      const answer = async (query: Uint8Array) => {
        const { signal } = gone;
        const answer = await servers.ask(query, {
          signal,
          timeoutMs: TIMEOUT_MS,
        }).catch(() => failed(query, SERVFAIL));
        underWay--;
        if (!signal.aborted) stream.write(frame(answer));
      };
      const frames = new FrameReader((query) => {
        if (query.length < HEADER_BYTES) return;
        if (underWay >= MOST_AT_ONCE) {
          return void stream.write(frame(failed(query, REFUSED)));
        }
        underWay++;
        void answer(query);
      });
      stream.on("data", (chunk: Uint8Array) => frames.push(chunk));
      stream.once("end", () => stream.end());
      stream.once("close", () => gone.abort());
    },
    [Symbol.dispose]() {},
  };
}

function failed(query: Uint8Array, code: number): Uint8Array {
  const answer = new Uint8Array(query);
  answer[2] = answer[2]! | 0x80;
  answer[3] = code;
  return answer;
}
