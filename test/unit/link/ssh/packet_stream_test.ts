import assert from "node:assert/strict";
import { connect } from "node:net";
import { PacketStream } from "../../../../src/link/ssh/packet_stream.ts";
import { listen, portOf } from "../agent/agent_process.ts";

const KIB = 1024;
const CHUNK_KIB = 64;
const CHANNELS = 100;

Deno.test(`the send queue holds 128 KiB and one chunk, when ${CHANNELS} channels have something to send, and each gets its turn`, async () => {
  let received = 0;
  await using reader = await listen((socket) => {
    socket.on("data", ({ length }) => received += length);
    socket.on("end", () => socket.destroy());
  });
  const stream = new PacketStream(
    connect({ port: portOf(reader), host: "127.0.0.1" }),
  );
  const chunk = new Uint8Array(CHUNK_KIB * KIB);
  const sent = new Array<number>(CHANNELS).fill(0);
  let mostQueued = 0;
  let isOver = false;
  // as ChannelStream does: another chunk when the last one is taken
  const send = (channel: number) => {
    if (isOver) return;
    stream.write(chunk);
    sent[channel]!++;
    mostQueued = Math.max(mostQueued, stream.writableLength);
    queueMicrotask(() => stream.whenWritable(() => send(channel)));
  };
  for (let channel = 0; channel < CHANNELS; channel++) {
    stream.whenWritable(() => send(channel));
  }
  const MUCH = 64 * KIB * KIB;
  while (received < MUCH) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  isOver = true;
  stream.destroy();
  assert.ok(
    mostQueued <= (128 + CHUNK_KIB) * KIB,
    `${mostQueued / KIB} KiB waited to be sent`,
  );
  assert.ok(
    Math.max(...sent) - Math.min(...sent) <= 1,
    `from ${Math.min(...sent)} to ${Math.max(...sent)} chunks`,
  );
});
