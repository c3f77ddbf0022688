import assert from "node:assert/strict";
import {
  nameserverAddress,
  parseResolvConf,
} from "../../../src/core/resolv_conf.ts";

Deno.test("a pod's resolv.conf is read", () => {
  const text = `# comment
nameserver 10.96.0.10
search shop.svc.cluster.local svc.cluster.local cluster.local.
options ndots:5
`;
  assert.deepEqual(parseResolvConf(text), {
    nameservers: ["10.96.0.10"],
    search: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"],
    ndots: 5,
  });
});

for (
  const [text, expected] of [
    ["", { nameservers: [], search: [], ndots: 1 }],
    ["nameserver\n\nsearch\noptions", {
      nameservers: [],
      search: [],
      ndots: 1,
    }],
    ["search a b\ndomain c", { nameservers: [], search: ["c"], ndots: 1 }],
    ["domain c\nsearch a b ; note", {
      nameservers: [],
      search: ["a", "b"],
      ndots: 1,
    }],
    ["search .", { nameservers: [], search: [], ndots: 1 }],
    ["options ndots:99 edns0 trust-ad", {
      nameservers: [],
      search: [],
      ndots: 15,
    }],
    ["\tnameserver\t::1\r\nnameserver 1.1.1.1", {
      nameservers: ["::1", "1.1.1.1"],
      search: [],
      ndots: 1,
    }],
  ] as const
) {
  Deno.test(`resolv.conf ${JSON.stringify(text)} is read`, () => {
    assert.deepEqual(parseResolvConf(text), expected);
  });
}

Deno.test("a name server may name its port", () => {
  assert.deepEqual(nameserverAddress("fd00::a"), { host: "fd00::a", port: 53 });
  assert.deepEqual(nameserverAddress("[fd00::a]:5353"), {
    host: "fd00::a",
    port: 5353,
  });
});
