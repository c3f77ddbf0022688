import type { Duplex } from "node:stream";
import { frame, FrameReader } from "../core/frame_reader.ts";
import type { ResolvConf } from "../core/resolv_conf.ts";
import { askNameservers } from "./ask_nameservers.ts";
import type { Opened } from "./link_services.ts";

/** More at once are refused: each has a socket of its own. */
const MOST_AT_ONCE = 500;
const HEADER_BYTES = 12;
const DNS_REFUSED = 5;

/** Answers the DNS messages of one channel, each as soon as it can. */
export function openDns({ nameservers }: ResolvConf): Opened {
  return {
    serve(stream: Duplex): void {
      const gone = new AbortController();
      let underWay = 0;
      const answer = async (query: Uint8Array) => {
        const { signal } = gone;
        try {
          stream.write(
            frame(await askNameservers(query, { nameservers, signal })),
          );
        } catch {
          // the channel is gone, and with it whoever asked
        } finally {
          underWay--;
        }
      };
      const frames = new FrameReader((query) => {
        if (query.length < HEADER_BYTES) return;
        if (underWay >= MOST_AT_ONCE) return void stream.write(refusal(query));
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

function refusal(query: Uint8Array): Uint8Array {
  const answer = new Uint8Array(query);
  answer[2] = answer[2]! | 0x80;
  answer[3] = DNS_REFUSED;
  return frame(answer);
}
