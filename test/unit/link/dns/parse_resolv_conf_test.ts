import assert from "node:assert/strict";
import fc from "fast-check";
import {
  nameserverAddress,
  parseResolvConf,
} from "../../../../src/link/dns/parse_resolv_conf.ts";
import {
  insertResolvConfBlock,
  removeResolvConfBlock,
} from "../../../../src/link/dns/resolv_conf_block.ts";

const block = {
  id: "abcdefgh",
  nameserver: "127.0.0.153",
  search: ["default.svc.cluster.local"],
  searchBefore: ["corp.example"],
};

Deno.test("a resolv.conf is read as libc reads it", () => {
  const text = [
    "# nameserver 1.1.1.1",
    "domain old.example",
    "search Corp.Example. lab.example ; comment",
    "nameserver 10.0.0.1 # first",
    "nameserver\t10.0.0.1",
    "nameserver fe80::1%eth0",
    "nameserver nonsense",
    "options edns0 ndots:5",
  ].join("\r\n");
  assert.deepEqual(parseResolvConf(text), {
    nameservers: ["10.0.0.1", "fe80::1%eth0"],
    search: ["corp.example", "lab.example"],
    ndots: 5,
  });
  assert.deepEqual(parseResolvConf(""), {
    nameservers: [],
    search: [],
    ndots: 1,
  });
  assert.deepEqual(parseResolvConf("search .\n").search, []);
});

Deno.test("with our lines in it, a resolv.conf names our server alone and searches our domains first", () => {
  const before =
    "search corp.example\nnameserver 10.0.0.1\noptions ndots:2 edns0\n";
  const text = insertResolvConfBlock(before, block);
  assert.deepEqual(parseResolvConf(text), {
    nameservers: ["127.0.0.153"],
    search: ["default.svc.cluster.local", "corp.example"],
    ndots: 2,
  });
});

Deno.test("our lines can be taken out of any resolv.conf, and every byte is as before", () => {
  const line = fc.oneof(
    fc.constantFrom(
      "nameserver 10.0.0.1",
      "  search a.example",
      "domain b",
      "# ktctl end",
      "# ktctl begin x: until ktctl ends, the lines marked below do not count",
      "#ktctl# nameserver 1.1.1.1",
      "\r",
      "",
    ),
    fc.string({ unit: "binary", maxLength: 30 }).map((text) =>
      text.replace(/[^\0-\xff]/g, "\xff")
    ),
  );
  const file = fc.array(line, { maxLength: 8 }).map((lines) =>
    lines.join("\n")
  );
  fc.assert(fc.property(file, (before) => {
    const removed = removeResolvConfBlock(insertResolvConfBlock(before, block));
    assert.deepEqual(removed, { id: block.id, before });
  }));
});

Deno.test("a resolv.conf without our lines is nobody's to restore", () => {
  assert.equal(removeResolvConfBlock("nameserver 10.0.0.1\n"), undefined);
  assert.equal(removeResolvConfBlock(""), undefined);
});

Deno.test("what others write into the file meanwhile is kept", () => {
  const text = insertResolvConfBlock("nameserver 10.0.0.1\n", block);
  assert.equal(
    removeResolvConfBlock(`# theirs\n${text}options timeout:1\n`)?.before,
    "# theirs\nnameserver 10.0.0.1\noptions timeout:1\n",
  );
});

Deno.test("a name server may name its port", () => {
  assert.deepEqual(nameserverAddress("fd00::a"), { host: "fd00::a", port: 53 });
  assert.deepEqual(nameserverAddress("[fd00::a]:5353"), {
    host: "fd00::a",
    port: 5353,
  });
  assert.deepEqual(
    parseResolvConf("nameserver [::1]:5353\nnameserver [x]:1").nameservers,
    ["[::1]:5353"],
  );
});
