import assert from "node:assert/strict";
import fc from "fast-check";
import { readQuestion } from "../../../../src/link/dns/read_question.ts";
import { readRecords } from "../../../../src/link/dns/read_records.ts";
import {
  agedAnswer,
  answerLifetimeS,
} from "../../../../src/net/dns/answer_lifetime.ts";
import { answerAs, askFor } from "../../../../src/net/dns/expanded_query.ts";
import {
  firstAnswer,
  type SourceAnswer,
} from "../../../../src/net/dns/first_answer.ts";
import { fitAnswer } from "../../../../src/net/dns/fit_answer.ts";
import {
  addressAnswer,
  errorAnswer,
} from "../../../../src/net/dns/own_answer.ts";
import { a, query, read, response } from "./packets.ts";

Deno.test("an answer cut to a size is no longer, whole as far as it goes, and marked", () => {
  const count = fc.integer({ min: 0, max: 120 });
  const size = fc.integer({ min: 512, max: 4096 });
  fc.assert(fc.property(count, size, (count, maxBytes) => {
    const records = Array.from(
      { length: count },
      (_, n) => a("web.test", `10.0.0.${n}`),
    );
    const whole = response(query("web.test"), records, { soaTtlS: 5 });
    const fitted = fitAnswer(whole, maxBytes);
    const got = read(fitted);
    assert.ok(fitted.length <= maxBytes);
    assert.deepEqual(
      got.records,
      read(whole).records.slice(0, got.records.length),
    );
    assert.equal(got.truncated, got.records.length < count);
    if (got.truncated) assert.ok(fitted.length + 24 > maxBytes);
    if (whole.length <= maxBytes) assert.deepEqual(fitted, whole);
  }));
});

Deno.test("an answer lives as long as its shortest record, or as its SOA says", () => {
  const asked = query("a.test");
  const records = [a("a.test", "192.0.2.1", 30), a("a.test", "192.0.2.2", 7)];
  assert.equal(answerLifetimeS(response(asked, records)), 7);
  const none = response(asked, [], { rcode: 3, soaTtlS: 20 });
  assert.equal(answerLifetimeS(none), 20);
  assert.equal(answerLifetimeS(response(asked, [], { soaTtlS: 9 })), 9);
  assert.equal(answerLifetimeS(response(asked, [], { rcode: 3 })), 0);
  const failed = response(asked, records, { rcode: 2 });
  assert.equal(answerLifetimeS(failed), 0);
  const cut = response(asked, records, { truncated: true });
  assert.equal(answerLifetimeS(cut), 0);
});

Deno.test("an answer ages: its records never get below zero, and nothing else changes", () => {
  const asked = query("a.test");
  const answer = response(asked, [
    a("a.test", "192.0.2.1", 30),
    a("a.test", "192.0.2.2", 7),
  ]);
  assert.deepEqual(read(agedAnswer(answer, 10)).ttls, [20, 0]);
  assert.deepEqual(read(agedAnswer(answer, 0, 5)).ttls, [5, 5]);
  assert.deepEqual(agedAnswer(answer, 0), answer);
});

Deno.test("a query for another name keeps all that follows the question", () => {
  const asked = query("WEB", "A", { udpBytes: 1400 });
  const full = askFor(asked, "web.default.svc.cluster.local");
  assert.equal(readQuestion(full)?.name, "web.default.svc.cluster.local");
  const tail = asked.subarray(readQuestion(asked)?.end);
  assert.deepEqual(full.subarray(readQuestion(full)?.end), tail);
  assert.equal(readRecords(full)?.length, 1);
});

Deno.test("the answer for the full name becomes one for the name that was asked", () => {
  const asked = query("WEB", "A", { id: 5 });
  const full = askFor(asked, "web.ns.svc.cluster.local");
  const answer = answerAs(
    asked,
    response(full, [
      {
        type: "CNAME",
        name: "Web.ns.svc.cluster.local",
        data: "www.example.com",
        ttl: 5,
      },
      a("www.example.com", "192.0.2.7"),
    ]),
  );
  const got = read(answer);
  assert.equal(got.id, 5);
  assert.equal(got.question, "WEB");
  assert.deepEqual(got.records, [
    "web CNAME www.example.com",
    "www.example.com A 192.0.2.7",
  ]);
});

Deno.test("an answer that cannot be read is an error, not a crash", () => {
  const asked = query("web");
  const broken = response(askFor(asked, "web.x"), [a("web.x", "192.0.2.1")]);
  assert.throws(() => answerAs(asked, broken.subarray(0, broken.length - 3)), {
    code: "DNS_ANSWER_INVALID",
  });
});

Deno.test("answers of our own repeat the question, and have the records of the type asked", () => {
  const asked = query("Shop.test", "AAAA", { id: 3, udpBytes: 1232 });
  const error = read(errorAnswer(asked, 2));
  assert.deepEqual(
    [error.id, error.rcode, error.question, error.records],
    [3, "SERVFAIL", "Shop.test", []],
  );
  const addresses = ["192.0.2.1", "2001:db8::1"];
  assert.deepEqual(
    read(addressAnswer(asked, addresses, { ttlS: 5 })).records,
    ["shop.test AAAA 2001:db8::1"],
  );
  assert.deepEqual(
    read(addressAnswer(query("shop.test"), addresses, { ttlS: 5 })).records,
    ["shop.test A 192.0.2.1"],
  );
  const mail = addressAnswer(query("shop.test", "MX"), addresses, { ttlS: 5 });
  assert.deepEqual([read(mail).rcode, read(mail).records], ["NOERROR", []]);
});

const asked = query("web");
const yes = response(asked, [a("web", "10.0.0.1")]);
const empty = response(asked, [], { soaTtlS: 5 });
const unknown = response(asked, [], { rcode: 3, soaTtlS: 5 });
const failed = response(asked, [], { rcode: 2 });

/** What comes of these answers, and how many were asked for. */
async function outcome(
  ...answers: (Uint8Array | SourceAnswer | "down")[]
): Promise<string> {
  let count = 0;
  try {
    const { answer, cacheable } = await firstAnswer(
      answers.map((one) => () => {
        count++;
        return one === "down"
          ? Promise.reject(new DOMException("down"))
          : Promise.resolve(one instanceof Uint8Array ? { answer: one } : one);
      }),
    );
    const { rcode, records } = read(answer);
    return `${count} ${rcode} ${records.length}${cacheable ? " kept" : ""}`;
  } catch (error) {
    return `${count} ${(error as Error).message}`;
  }
}

Deno.test("the first answer with records ends the search", async () => {
  assert.equal(await outcome(yes, failed), "1 NOERROR 1 kept");
  assert.equal(await outcome(unknown, empty, yes), "3 NOERROR 1 kept");
});

Deno.test("a name without such records goes before an unknown name", async () => {
  assert.equal(await outcome(unknown, empty), "2 NOERROR 0 kept");
  assert.equal(await outcome(empty, unknown), "2 NOERROR 0 kept");
  assert.equal(await outcome(unknown, unknown), "2 NXDOMAIN 0 kept");
});

Deno.test("who has the last word ends the search without a record", async () => {
  const final = { answer: empty, isFinal: true };
  assert.equal(await outcome(final, yes), "1 NOERROR 0 kept");
  assert.equal(await outcome("down", final, yes), "2 NOERROR 0");
});

Deno.test("who cannot be asked is not taken for one who knows nothing", async () => {
  assert.equal(await outcome("down", unknown), "2 down");
  assert.equal(await outcome(failed, unknown), "2 SERVFAIL 0");
  assert.equal(await outcome("down", yes), "2 NOERROR 1");
  assert.equal(await outcome(failed, yes), "2 NOERROR 1");
  assert.equal(await outcome(), "0 There is no name server to ask");
});
