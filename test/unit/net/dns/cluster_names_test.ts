import assert from "node:assert/strict";
import fc from "fast-check";
import { ClusterNames } from "../../../../src/net/dns/cluster_names.ts";
import { ForeignNames } from "../../../../src/net/dns/foreign_names.ts";
import { reverseAddress } from "../../../../src/net/dns/reverse_name.ts";
import { readQuestion } from "../../../../src/link/dns/read_question.ts";
import { query } from "./packets.ts";

const names = new ClusterNames({
  clusterDomain: "cluster.local",
  search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"],
  cidrs: ["10.96.0.0/12", "10.244.0.0/16", "fd00:10::/64"],
  includeDomains: ["corp.example"],
  foreign: new ForeignNames(),
  isNamespace: (label) =>
    ["prod", "dev", "staging", "localhost"].includes(label),
});

function owner(name: string, type: "A" | "SRV" | "PTR" = "A"): string {
  const question = readQuestion(query(name, type));
  assert.ok(question);
  const found = names.ownerOf(question);
  return found.kind === "other"
    ? "other"
    : `${found.kind}: ${found.names.join(" ")}`;
}

Deno.test("full names of Services and pods are the cluster's alone", () => {
  assert.equal(
    owner("Web.prod.svc.Cluster.local"),
    "cluster: web.prod.svc.cluster.local",
  );
  assert.equal(
    owner("10-244-0-3.prod.pod.cluster.local"),
    "cluster: 10-244-0-3.prod.pod.cluster.local",
  );
  assert.equal(owner("svc.cluster.local"), "cluster: svc.cluster.local");
  assert.equal(owner("notsvc.cluster.localx"), "other");
});

Deno.test("other names below the cluster's domain may be somebody else's too", () => {
  assert.equal(owner("www.cluster.local"), "shared: www.cluster.local");
});

Deno.test("svc.ns.svc is completed with the cluster's domain", () => {
  assert.equal(
    owner("web.prod.svc"),
    "cluster: web.prod.svc.cluster.local",
  );
  assert.equal(
    owner("_http._tcp.web.prod.svc", "SRV"),
    "cluster: _http._tcp.web.prod.svc.cluster.local",
  );
});

Deno.test("short names are completed as the pod would", () => {
  assert.equal(
    owner("web"),
    "shared: web.default.svc.cluster.local web.svc.cluster.local web.cluster.local",
  );
  assert.equal(
    owner("_http._tcp.web", "SRV").split(" ")[1],
    "_http._tcp.web.default.svc.cluster.local",
  );
});

Deno.test("svc.ns is the cluster's only where ns is a namespace", () => {
  assert.match(
    owner("web.staging"),
    /^shared: .* web\.staging\.svc\.cluster\.local /,
  );
  assert.match(owner("web-0.web.staging"), / web-0\.web\.staging\.svc\./);
  assert.equal(owner("example.com"), "other");
  assert.equal(owner("_http._tcp.example.com", "SRV"), "other");
});

Deno.test("a namespace that is called like a domain of the Internet has only what nobody has there", () => {
  assert.match(
    owner("web.dev"),
    /^public: .* web\.dev\.svc\.cluster\.local /,
  );
  assert.match(owner("www.google.dev"), /^public: /);
  assert.match(owner("_http._tcp.web.dev", "SRV"), /^public: /);
  // full names, and short ones: nobody has addresses at a top-level domain
  assert.match(owner("web.dev.svc"), /^cluster: /);
  assert.match(owner("web.dev.svc.cluster.local"), /^cluster: /);
  assert.match(owner("shop"), /^shared: /);
});

Deno.test("what programs look for by themselves is not the cluster's, nor as libc completes it", () => {
  for (const name of ["wpad", "localhost", "isatap"]) {
    assert.match(owner(name), /^reserved: /, name);
    for (const domain of ["default.svc.", "svc.", ""]) {
      const full = `${name}.${domain}cluster.local`;
      assert.equal(owner(full), `reserved: ${full}`);
    }
  }
  assert.equal(owner("web.localhost"), "other");
  assert.equal(owner("_gateway"), "other");
  assert.match(owner("web.localhost.default.svc.cluster.local"), /^reserved: /);
  // in full they are Services as others
  for (const name of ["wpad.prod", "web.localhost"]) {
    assert.match(owner(`${name}.svc`), /^cluster: /);
    assert.match(owner(`${name}.svc.cluster.local`), /^cluster: /);
  }
  assert.match(
    owner("_http._tcp.web.default.svc.cluster.local", "SRV"),
    /^cluster: /,
  );
});

Deno.test("included domains are the cluster's alone", () => {
  assert.equal(owner("db.corp.example"), "cluster: db.corp.example");
  assert.equal(owner("corp.example"), "cluster: corp.example");
  assert.equal(owner("db.notcorp.example"), "other");
});

Deno.test("names of addresses are the cluster's in its own ranges", () => {
  assert.match(owner("10.0.96.10.in-addr.arpa", "PTR"), /^cluster/);
  assert.equal(owner("1.2.0.192.in-addr.arpa", "PTR"), "other");
  const digits = "fd000010" + "0".repeat(23) + "1";
  const inside = digits.split("").reverse().join(".") + ".ip6.arpa";
  assert.match(owner(inside, "PTR"), /^cluster/);
  assert.equal(owner(inside.replace("d.f.ip6", "e.f.ip6"), "PTR"), "other");
});

Deno.test("what is no host's name is left alone", () => {
  assert.equal(owner("."), "other");
  assert.equal(owner("wéb"), "other");
  assert.equal(owner("lb._dns-sd._udp.0.0.0.10.in-addr.arpa", "PTR"), "other");
});

Deno.test("the reverse name of an IPv4 address is read back as the address", () => {
  fc.assert(fc.property(fc.ipV4(), (address) => {
    const name = address.split(".").reverse().join(".") + ".in-addr.arpa";
    assert.equal(reverseAddress(name), address);
  }));
  assert.equal(reverseAddress("256.0.0.10.in-addr.arpa"), undefined);
  assert.equal(reverseAddress("0.0.10.in-addr.arpa"), undefined);
});

Deno.test("a range that is none is refused", () => {
  for (const wrong of ["10.0.0.0/33", "x", "fd00::/129", "10.0.0.0/x"]) {
    assert.throws(
      () =>
        new ClusterNames({
          clusterDomain: "c",
          search: [],
          cidrs: [wrong],
          includeDomains: [],
          foreign: new ForeignNames(),
          isNamespace: () => false,
        }),
      { code: "CIDR_INVALID" },
    );
  }
});

Deno.test("names below the node's own search domains are a company's, also those that programs look for", () => {
  const ofNode = new ClusterNames({
    clusterDomain: "cluster.local",
    search: ["default.svc.cluster.local", "cluster.local", "corp.example.com"],
    cidrs: [],
    includeDomains: [],
    foreign: new ForeignNames(),
    isNamespace: () => false,
  });
  const ownerOf = (name: string) => ofNode.ownerOf(readQuestion(query(name))!);
  assert.deepEqual(ownerOf("wpad.corp.example.com"), { kind: "other" });
  assert.deepEqual(ownerOf("wpad.cluster.local"), {
    kind: "reserved",
    names: ["wpad.cluster.local"],
  });
  // the cluster's DNS would find the company's
  assert.deepEqual(ownerOf("wpad"), {
    kind: "reserved",
    names: ["wpad.default.svc.cluster.local", "wpad.cluster.local"],
  });
});
