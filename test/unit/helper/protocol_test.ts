import assert from "node:assert/strict";
import fc from "fast-check";
import { UsageError } from "../../../src/core/errors.ts";
import { LineSplitter } from "../../../src/helper/line_splitter.ts";
import {
  encodeLine,
  type HelperRequest,
  MAX_LINE_BYTES,
  parseAnswer,
  parseRequest,
} from "../../../src/helper/protocol.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const isBroken = (error: unknown) =>
  error instanceof UsageError && error.code === "HELPER_PROTOCOL";

Deno.test("a request is a request after the way over the wire", () => {
  const requests: HelperRequest[] = [
    { id: 1, open: "redirect.open", args: { port: 80, cidrs: ["10.0.0.0/8"] } },
    { id: 2, close: 1 },
  ];
  for (const request of requests) {
    assert.deepEqual(parseRequest(encodeLine(request)), request);
  }
});

Deno.test("whatever is no request is refused", () => {
  for (
    const text of [
      "",
      "null",
      "[]",
      "{}",
      `{"id":1}`,
      `{"id":0,"close":1}`,
      `{"id":-1,"close":1}`,
      `{"id":1.5,"close":1}`,
      `{"id":"1","close":1}`,
      `{"id":1,"close":"rm"}`,
      `{"id":1,"open":"x"}`,
      `{"id":1,"open":["x"],"args":{}}`,
      `{"id":1,"open":"x","args":{},"close":1}`,
      `{"id":1,"open":"x","args":{},"exec":"rm"}`,
      `{"id":1,"open":"${"x".repeat(101)}","args":{}}`,
      `{"id":9007199254740993,"close":1}`,
      "[".repeat(100_000),
    ]
  ) assert.throws(() => parseRequest(bytes(text)), isBroken, text);
  assert.throws(() => parseRequest(Uint8Array.of(0x22, 0xff, 0x22)), isBroken);
});

Deno.test("any JSON and any bytes are a request or are refused by name", () => {
  const noise = fc.oneof(
    fc.json().map(bytes),
    fc.uint8Array({ maxLength: 200 }),
    fc.record({
      id: fc.oneof(fc.integer(), fc.double(), fc.string()),
      open: fc.anything(),
      args: fc.anything(),
      close: fc.anything(),
    }, { requiredKeys: [] }).map((value) => {
      try {
        return bytes(JSON.stringify(value));
      } catch { // of a bigint
        return bytes("");
      }
    }),
  );
  fc.assert(fc.property(noise, (line) => {
    for (const parse of [parseRequest, parseAnswer]) {
      try {
        parse(line);
      } catch (error) {
        assert.ok(isBroken(error), String(error));
      }
    }
  }));
});

Deno.test("lines are the same however their bytes are cut, and an unfinished one is not given", () => {
  const line = fc.uint8Array({ maxLength: 20 }).map((one) =>
    one.filter((byte) => byte !== 10)
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 8 }),
      fc.array(fc.nat(30), { maxLength: 20 }),
      (lines, cuts) => {
        const all = Uint8Array.from([
          ...lines.flatMap((one) => [...one, 10]),
          1,
          2,
        ]);
        const splitter = new LineSplitter();
        const got: number[][] = [];
        let at = 0;
        for (const length of [...cuts, all.length]) {
          const chunk = all.slice(at, at + length);
          at += length;
          for (const one of splitter.push(chunk)) got.push([...one]);
          chunk.fill(0); // the sender uses its memory again
        }
        assert.deepEqual(got, lines.map((one) => [...one]));
      },
    ),
  );
});

Deno.test("a line that is too long breaks the protocol before it is whole", () => {
  const longest = new Uint8Array(MAX_LINE_BYTES).fill(97);
  const splitter = new LineSplitter();
  assert.equal([...splitter.push(longest)].length, 0);
  assert.equal([...splitter.push(bytes("\n"))][0]?.length, MAX_LINE_BYTES);
  assert.equal([...splitter.push(longest)].length, 0);
  assert.throws(() => [...splitter.push(bytes("a"))], isBroken);
});
