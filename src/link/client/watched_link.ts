import { LinkError } from "../../core/errors.ts";
import { disturbances } from "../../core/machine/disturbances.ts";
import type { LaptopEnd } from "../wire/laptop_end.ts";
import { watchSilence } from "../wire/silence.ts";
import { ClientLink } from "./client_link.ts";
import type { Link } from "./link.ts";

/** The slowest upstream that a link has to bear while it is busy: 1 Mbit/s. */
const SLOWEST_BYTES_PER_MS = 128;

/** So much longer at most may a busy link stay silent. */
const MOST_PATIENCE_MS = 30_000;

/** A link over a connection that is logged in, which ends when nothing comes from the agent any more. */
export function watchedLink(
  end: LaptopEnd,
  { deadAfterMs = 4000 }: { readonly deadAfterMs?: number },
): Link {
  const link = new ClientLink(end);
  const silence = watchSilence(() => end.received, {
    silentMs: deadAfterMs,
    // An answer cannot come before the ping has got through what was sent ahead of it.
    patienceMs: () =>
      Math.min(end.unanswered / SLOWEST_BYTES_PER_MS, MOST_PATIENCE_MS),
    onMove: (atMs) => end.heardAt = atMs,
    onSilence: () => {
      const reason = `no byte came for ${deadAfterMs} ms`;
      end.destroy(
        new LinkError("LINK_DEAD", `Link to the Shadow Pod is dead: ${reason}`),
      );
    },
  });
  // who slept is given up by the agent, however much was on its way
  const doubts = disturbances.on(({ wasAsleep = false }) =>
    silence.hurry({ isPatient: !wasAsleep })
  );
  link.closed.then(() => {
    silence[Symbol.dispose]();
    doubts[Symbol.dispose]();
  });
  return link;
}
