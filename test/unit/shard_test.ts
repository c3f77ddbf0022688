import assert from "node:assert/strict";
import { isOfShard, readShard } from "../../scripts/shard.ts";

Deno.test("the parts of all tests have each of them once", () => {
  const places = [0, 1, 2, 3, 4, 5, 6];
  const parts = ["1/3", "2/3", "3/3"].map((part) => {
    const { shard, rest } = readShard(["unit", `--shard=${part}`]);
    assert.deepEqual(rest, ["unit"]);
    return places.filter((at) => isOfShard(at, shard));
  });
  assert.deepEqual(parts, [[0, 3, 6], [1, 4], [2, 5]]);
  assert.ok(places.every((at) => isOfShard(at, readShard([]).shard)));
});

Deno.test("a part that there is not is refused", () => {
  for (const part of ["0/3", "4/3", "1", "a/b", "1/0"]) {
    assert.throws(() => readShard([`--shard=${part}`]), /first of 4 parts/);
  }
});
