import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { frame, FrameReader } from "../../../../src/link/wire/frame_reader.ts";

Deno.test("messages come out as they went in, however the stream is cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), {
    maxLength: 20,
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 });
  fc.assert(fc.property(messages, cuts, (sent, sizes) => {
    const bytes = Buffer.concat(sent.map(frame));
    const came: Uint8Array[] = [];
    const reader = new FrameReader((message) => came.push(message));
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = sizes[i % sizes.length]!;
      reader.push(bytes.subarray(at, at + size));
      at += size;
    }
    bytes.fill(0); // what was given out does not share the stream's memory
    assert.deepEqual(came, sent);
  }));
});

Deno.test("a message of 65535 bytes fits", () => {
  const sent = new Uint8Array(65_535).fill(7);
  const came: Uint8Array[] = [];
  new FrameReader((message) => came.push(message)).push(frame(sent));
  assert.deepEqual(came, [sent]);
});
