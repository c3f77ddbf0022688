import assert from "node:assert/strict";
import fc from "fast-check";
import { readEdns } from "../../../../src/link/dns/read_edns.ts";
import { readQuestion } from "../../../../src/link/dns/read_question.ts";
import { readRecords } from "../../../../src/link/dns/read_records.ts";
import {
  frameMessage,
  TcpMessages,
} from "../../../../src/link/dns/tcp_messages.ts";
import { a, query, read, response } from "../../net/dns/packets.ts";

const label = fc.stringMatching(/^[a-z0-9_][a-z0-9-]{0,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) =>
  labels.join(".")
);

Deno.test("the question that another library writes is the one that is read", () => {
  fc.assert(fc.property(name, fc.boolean(), (name, withEdns) => {
    const message = query(
      name.toUpperCase(),
      "SRV",
      withEdns ? { udpBytes: 1232 } : {},
    );
    const question = readQuestion(message);
    assert.equal(question?.name, name);
    assert.equal(question?.type, 33);
    assert.equal(question?.class, 1);
    assert.equal(readEdns(message)?.udpBytes, withEdns ? 1232 : undefined);
  }));
});

Deno.test("records are found where another library put them", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(100_000), { maxLength: 20 }), (ttls) => {
      const message = response(
        query("a.test"),
        ttls.map((ttl) => a("a.test", "192.0.2.1", ttl)),
        { soaTtlS: 7 },
      );
      const records = readRecords(message) ?? [];
      assert.deepEqual(
        records.map(({ section, ttl }) => [section, ttl]),
        [...ttls.map((ttl) => ["answer", ttl]), ["authority", 7]],
      );
      assert.equal(records.at(-1)?.end, message.length);
      assert.deepEqual(read(message).ttls, ttls);
    }),
  );
});

Deno.test("bytes of any kind are read or refused, never thrown at", () => {
  const damaged = fc.tuple(
    fc.uint8Array({ maxLength: 80 }),
    fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 6 }),
    fc.boolean(),
  ).map(([bytes, changes, isRandom]) => {
    if (isRandom) return bytes;
    const message = response(query("a.test"), [a("a.test", "192.0.2.1")]);
    for (const [at, value] of changes) message[at] = value;
    return message;
  });
  fc.assert(fc.property(damaged, (bytes) => {
    readQuestion(bytes);
    readEdns(bytes);
    for (const { end } of readRecords(bytes) ?? []) {
      assert.ok(end <= bytes.length);
    }
  }));
});

Deno.test("messages on a connection are the same however it is cut", () => {
  const messages = fc.array(fc.uint8Array({ maxLength: 300 }), {
    maxLength: 5,
  });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 40 }), (sent, size) => {
      const bytes = sent.flatMap((one) => [...frameMessage(one)]);
      const cutter = new TcpMessages();
      const got: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += size) {
        got.push(...cutter.push(Uint8Array.from(bytes.slice(at, at + size))));
      }
      assert.deepEqual(got, sent);
    }),
  );
});
