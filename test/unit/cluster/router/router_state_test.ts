import assert from "node:assert/strict";
import fc from "fast-check";
import { parseMark } from "../../../../src/cluster/router/mesh_mark.ts";
import { routerMaps } from "../../../../src/cluster/router/router_config.ts";
import {
  parseRuntime,
  runtimeChanges,
} from "../../../../src/cluster/router/router_runtime.ts";
import {
  joined,
  left,
  MAX_PARTICIPANTS,
  type Participant,
  routed,
  type RouterState,
  slotCount,
} from "../../../../src/cluster/router/router_state.ts";

const empty: RouterState = {
  namespace: "test",
  service: "web",
  podName: "web-kt-router",
  podTarget: "x",
  origin: "10.96.0.1",
  ports: [{ name: "kt-8080", port: 8080, servicePort: 80 }],
  statusPort: 9900,
  runtimePort: 9901,
  lowPorts: false,
  participants: [],
};

function join(state: RouterState, session: string, mark = session) {
  const since = "2026-01-01T00:00:00Z";
  return joined(state, {
    session,
    user: session,
    since,
    mark: parseMark(mark),
  });
}

Deno.test("whatever the order of joining and leaving, each participant has a slot of its own, and the last closes the router", () => {
  const move = fc.record({
    who: fc.integer({ min: 0, max: 9 }),
    leaves: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
    let state = empty;
    const inside = new Set<string>();
    for (const { who, leaves } of moves) {
      const session = `s${who}`;
      if (leaves && inside.delete(session)) {
        state = left(state, [session]);
        assert.equal(state.closing ?? false, inside.size === 0);
        if (state.closing) state = empty;
      } else if (!leaves) {
        state = join(state, session);
        inside.add(session);
      }
      const slots = state.participants.map(({ slot }) => slot);
      assert.equal(new Set(slots).size, inside.size);
      assert.ok(slots.every((slot) => slot >= 1 && slot <= MAX_PARTICIPANTS));
    }
  }));
});

Deno.test("a router has a place for so many, and says so when it is full", () => {
  let state = empty;
  for (let n = 0; n < MAX_PARTICIPANTS; n++) state = join(state, `s${n}`);
  assert.throws(() => join(state, "one-more"), { code: "ROUTER_FULL" });
});

Deno.test("while somebody with an earlier ktctl is in it, a router has 32 places, and says who that is", () => {
  let state = join(empty, "earlier");
  const [{ knowsMore: _, ...earlier }] = state.participants as [Participant];
  state = { ...state, participants: [earlier] };
  for (let n = 1; n < 32; n++) state = join(state, `s${n}`);
  assert.throws(() => join(state, "one-more"), {
    code: "ROUTER_FULL",
    hint: /a newer ktctl: earlier\./,
  });
  const place = left(state, ["s5"]);
  assert.equal(join(place, "s5").participants.at(-1)?.slot, 6);
  const more = join(join(left(state, ["earlier"]), "s32"), "s33");
  assert.deepEqual(more.participants.slice(-2).map(({ slot }) => slot), [
    1,
    33,
  ]);
});

Deno.test("a router of many ports has fewer places, and no fewer than before", () => {
  const count = (ports: number) =>
    slotCount({ ports: Array.from({ length: ports }, () => empty.ports[0]!) });
  assert.deepEqual([1, 32, 80, 256].map(count), [128, 128, 51, 32]);
});

for (const mark of ["a.b", "version:a.b", "a-b", "kt-mark:a-b"]) {
  Deno.test(`the mark ${mark} is refused beside version: a.b`, () => {
    assert.throws(() => join(join(empty, "alice", "a.b"), "bob", mark), {
      code: "MARK_TAKEN",
      message: /alice has /,
    });
  });
}

Deno.test("only a participant with a Shadow Pod has its mark in the maps", () => {
  const state = join(join(empty, "alice"), "bob", "kt-mark:b");
  assert.equal(routerMaps(state).marks.size, 0);
  const target = { host: "10.96.0.9", checkPort: 9900 };
  const both = routed(routed(state, "alice", target), "bob", target);
  const { marks, others } = routerMaps(both);
  assert.deepEqual([...marks], [["version=alice", "s1"], ["others", "1"]]);
  assert.deepEqual([...others], [["|kt-mark=b|", "s2"]]);
});

const COLUMNS =
  "# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_check_result srv_port srv_check_port";

function answer(
  marks: string,
  rows: readonly string[],
): string {
  return `${marks}\n\n1\n${COLUMNS}\n${rows.join("\n")}\n\n\n`;
}

const EMPTY_SLOT = [
  "5 h1_8080 2 s1 127.0.0.1 0 5 1 1 1",
  "6 h2_8080 2 s1 127.0.0.1 0 2 1 1 0",
];

Deno.test("a route that is missing is made: its servers first, then its mark", () => {
  const target = { host: "10.96.0.9", checkPort: 9900 };
  const state = routed(join(empty, "alice"), "alice", target);
  const actual = parseRuntime(answer("", EMPTY_SLOT));
  assert.deepEqual(runtimeChanges(state, actual), [
    "set server h1_8080/s1 addr 10.96.0.9 port 80",
    "set server h2_8080/s1 addr 10.96.0.9 port 80",
    "set server h1_8080/s1 check-port 9900",
    "set server h1_8080/s1 state ready",
    "set server h1_8080/s1 health down",
    "add map /ktctl/router/marks.map version=alice s1",
  ]);
});

Deno.test("a route that is there already is left alone, and one too many goes: its mark first, then its servers", () => {
  const target = { host: "10.96.0.9", checkPort: 9900 };
  const state = routed(join(empty, "alice"), "alice", target);
  const actual = parseRuntime(answer("0x55d1 version=alice s1\n", [
    "5 h1_8080 2 s1 10.96.0.9 2 4 3 80 9900",
    "6 h2_8080 2 s1 10.96.0.9 2 0 1 80 0",
  ]));
  assert.deepEqual(runtimeChanges(state, actual), []);
  assert.equal(actual.servers.get("h1_8080/s1")?.isUp, true);
  assert.deepEqual(runtimeChanges(empty, actual), [
    "del map /ktctl/router/marks.map version=alice",
    "set server h1_8080/s1 state maint",
  ]);
});

Deno.test("the original is followed to another address, in all that goes there", () => {
  const rows = ["h1", "h2", "tcp"].map((kind, at) =>
    `${at} ${kind}_8080 1 origin 10.96.0.7 2 0 1 80 0`
  );
  assert.deepEqual(
    runtimeChanges(empty, parseRuntime(answer("", rows)), "10.96.0.1"),
    ["h1", "h2", "tcp"].map((kind) =>
      `set server ${kind}_8080/origin addr 10.96.0.1 port 80`
    ),
  );
});

Deno.test("an answer that is none is told of", () => {
  assert.throws(() => parseRuntime("Permission denied\n\n"), {
    code: "ROUTER_ANSWER",
  });
});
