import assert from "node:assert/strict";
import * as v from "valibot";
import { Cidr } from "../../../../src/net/cidr.ts";
import { overlapsAny } from "../../../../src/net/cidr_list.ts";
import {
  iptablesRemoval,
  iptablesRules,
} from "../../../../src/net/capture/iptables_rules.ts";
import { nftRules } from "../../../../src/net/capture/nft_redirect.ts";
import { pfRules } from "../../../../src/net/capture/pf_anchor.ts";
import {
  familiesOf,
  type RedirectArgs,
  redirectArgsSchema,
} from "../../../../src/net/capture/redirect_args.ts";

const ARGS: RedirectArgs = {
  session: "x1y2",
  cidrs: ["10.96.0.0/16", "10.244.0.0/30", "fd00::/112"],
  exclude: ["10.244.0.1"],
  port: 1080,
  dns: {
    servers: ["127.0.0.53", "10.96.0.10"],
    port: 10053,
    ownSourcePorts: { from: 29000, to: 29063 },
  },
};

Deno.test("nft gets one script that replaces a session's tables and names every address", () => {
  assert.equal(
    nftRules(ARGS),
    `table ip ktctl_x1y2
delete table ip ktctl_x1y2
table ip ktctl_x1y2 {
	set captured {
		type ipv4_addr
		flags interval
		elements = { 10.96.0.0/16, 10.244.0.0/32, 10.244.0.2/31 }
	}
	set resolvers {
		type ipv4_addr
		elements = { 127.0.0.53, 10.96.0.10 }
	}
	chain own {
		type nat hook output priority -105; policy accept;
		ip daddr @resolvers udp dport 53 udp sport != 29000-29063 redirect to :10053
		ip daddr @resolvers tcp dport 53 tcp sport != 29000-29063 redirect to :10053
		ip daddr @captured tcp flags & (fin | syn | rst | ack) == syn redirect to :1080
	}
	chain refuse_udp {
		type filter hook output priority 0; policy accept;
		ip daddr @captured meta l4proto udp reject
	}
}
table ip6 ktctl_x1y2
delete table ip6 ktctl_x1y2
table ip6 ktctl_x1y2 {
	set captured {
		type ipv6_addr
		flags interval
		elements = { fd00::/112 }
	}
	set resolvers {
		type ipv6_addr
	}
	chain own {
		type nat hook output priority -105; policy accept;
		ip6 daddr @resolvers udp dport 53 udp sport != 29000-29063 redirect to :10053
		ip6 daddr @resolvers tcp dport 53 tcp sport != 29000-29063 redirect to :10053
		ip6 daddr @captured tcp flags & (fin | syn | rst | ack) == syn redirect to :1080
	}
	chain refuse_udp {
		type filter hook output priority 0; policy accept;
		ip6 daddr @captured meta l4proto udp reject
	}
}
`,
  );
});

Deno.test("a family that is not captured gets no table", () => {
  const { dns: _, ...args } = ARGS;
  const text = nftRules({ ...args, cidrs: ["10.0.0.0/8"], exclude: [] });
  assert.ok(!text.includes("ip6"));
  assert.ok(!text.includes("53"));
  assert.equal(nftRules({ ...args, cidrs: [] }), "");
});

Deno.test("iptables gets the same, and each jump once", () => {
  const [ipv4] = familiesOf(ARGS);
  const text = iptablesRules(ipv4!, ARGS, "");
  assert.equal(
    text,
    `*nat
:KTCTL_x1y2 - [0:0]
-A KTCTL_x1y2 -d 127.0.0.53 -p udp --dport 53 ! --sport 29000:29063 -j REDIRECT --to-ports 10053
-A KTCTL_x1y2 -d 127.0.0.53 -p tcp --dport 53 ! --sport 29000:29063 -j REDIRECT --to-ports 10053
-A KTCTL_x1y2 -d 10.96.0.10 -p udp --dport 53 ! --sport 29000:29063 -j REDIRECT --to-ports 10053
-A KTCTL_x1y2 -d 10.96.0.10 -p tcp --dport 53 ! --sport 29000:29063 -j REDIRECT --to-ports 10053
-A KTCTL_x1y2 -d 10.96.0.0/16 -p tcp --syn -j REDIRECT --to-ports 1080
-A KTCTL_x1y2 -d 10.244.0.0/32 -p tcp --syn -j REDIRECT --to-ports 1080
-A KTCTL_x1y2 -d 10.244.0.2/31 -p tcp --syn -j REDIRECT --to-ports 1080
-I OUTPUT 1 -j KTCTL_x1y2
COMMIT
*filter
:KTCTL_x1y2 - [0:0]
-A KTCTL_x1y2 -d 10.96.0.0/16 -p udp -j REJECT
-A KTCTL_x1y2 -d 10.244.0.0/32 -p udp -j REJECT
-A KTCTL_x1y2 -d 10.244.0.2/31 -p udp -j REJECT
-I OUTPUT 1 -j KTCTL_x1y2
COMMIT
`,
  );
  const present = `*nat
:OUTPUT ACCEPT [0:0]
:KTCTL_x1y2 - [0:0]
-A OUTPUT -j KTCTL_x1y2
COMMIT
*filter
:OUTPUT ACCEPT [0:0]
COMMIT
`;
  const again = iptablesRules(ipv4!, ARGS, present);
  assert.equal(again.split("-I OUTPUT").length - 1, 1);
});

Deno.test("iptables loses exactly what is the session's", () => {
  const present = `# Generated
*filter
:INPUT ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
-A OUTPUT -j KTCTL_x1y20
COMMIT
*nat
:OUTPUT ACCEPT [0:0]
:KTCTL_x1y2 - [0:0]
:KTCTL_x1y20 - [0:0]
-A PREROUTING -j KTCTL_x1y2
-A OUTPUT -j KTCTL_x1y2
-A OUTPUT -j KTCTL_x1y20
-A KTCTL_x1y2 -d 10.96.0.0/16 -p tcp -j REDIRECT --to-ports 1080
COMMIT
`;
  assert.equal(
    iptablesRemoval("x1y2", present),
    `*nat
-D PREROUTING -j KTCTL_x1y2
-D OUTPUT -j KTCTL_x1y2
-F KTCTL_x1y2
-X KTCTL_x1y2
COMMIT
`,
  );
  assert.equal(iptablesRemoval("other", present), "");
});

Deno.test("pf gets translations before filter rules", () => {
  const lines = pfRules(ARGS).trimEnd().split("\n");
  const kinds = lines.map((line) => line.split(" ")[0]);
  const order = ["table", "rdr", "pass", "block"];
  const ranks = kinds.map((kind) => Math.min(order.indexOf(kind!), 2));
  assert.ok(!ranks.includes(-1));
  assert.deepEqual(ranks, ranks.toSorted());
  for (
    const line of [
      "table <ktctl_captured4> const { 10.96.0.0/16, 10.244.0.0/32, 10.244.0.2/31 }",
      "rdr pass on lo0 inet proto tcp from any to <ktctl_captured4> -> 127.0.0.1 port 1080",
      "rdr pass on lo0 inet6 proto tcp from any to <ktctl_captured6> -> ::1 port 1080",
      "rdr pass on lo0 inet proto udp from any to <ktctl_resolvers4> port 53 -> 127.0.0.1 port 10053",
      "pass out quick route-to lo0 inet proto tcp from any to <ktctl_captured4> flags S/SA keep state",
    ]
  ) assert.ok(lines.includes(line), line);
});

Deno.test("loopback and link-local addresses are never captured, whatever is asked for", () => {
  const families = familiesOf({
    ...ARGS,
    cidrs: ["0.0.0.0/0", "127.0.0.1", "::/0", "fe80::/10"],
  });
  const captured = families.flatMap(({ captured }) => captured.map(Cidr.parse));
  assert.ok(overlapsAny(Cidr.parse("8.8.8.8"), captured));
  assert.ok(overlapsAny(Cidr.parse("2001:db8::1"), captured));
  for (
    const text of ["127.0.0.1", "169.254.1.1", "::1", "fe80::1", "ff02::1"]
  ) {
    assert.ok(!overlapsAny(Cidr.parse(text), captured), text);
  }
});

Deno.test("what comes from bridges is redirected by their names, and nothing else that is forwarded", () => {
  const args: RedirectArgs = {
    ...ARGS,
    forwarded: { bridges: ["docker0", "br-*"], nameServers: ["172.17.0.1"] },
  };
  const nft = nftRules(args);
  const [ipv4 = "", ipv6 = ""] = nft.split("delete table ip6");
  assert.match(ipv4, /ip daddr @resolvers udp dport 53 dnat to 172.17.0.1/);
  assert.match(ipv6, /ip6 daddr @resolvers udp dport 53 accept/);
  const hooks = [...nft.matchAll(/hook (prerouting|forward)[^}]*;\n([^}]*)}/g)];
  assert.equal(hooks.length, 4);
  for (const [, , rules = ""] of hooks) {
    const lines = rules.trim().split("\n").map((line) => line.trim());
    assert.deepEqual(lines.map((line) => line.split(" ").slice(0, 2)), [
      ["iifname", '"docker0"'],
      ["iifname", '"br-*"'],
    ]);
  }
  const [family] = familiesOf(args);
  const iptables = iptablesRules(family!, args, "").split("\n");
  assert.deepEqual(iptables.filter((line) => line.startsWith("-I")), [
    "-I OUTPUT 1 -j KTCTL_x1y2",
    "-I PREROUTING 1 -i docker0 -j KTCTL_x1y2_IN",
    "-I PREROUTING 1 -i br-+ -j KTCTL_x1y2_IN",
    "-I OUTPUT 1 -j KTCTL_x1y2",
    "-I FORWARD 1 -i docker0 -j KTCTL_x1y2",
    "-I FORWARD 1 -i br-+ -j KTCTL_x1y2",
  ]);
});

Deno.test("arguments of a redirect are numbers and addresses, and nothing else", () => {
  assert.deepEqual(v.parse(redirectArgsSchema, ARGS), ARGS);
  const dns = ARGS.dns!;
  for (
    const [name, hostile] of Object.entries({
      session: { session: "x } ; flush ruleset" },
      upperCase: { session: "X" },
      longName: { session: "a".repeat(17) },
      path: { session: "../x" },
      cidr: { cidrs: ["10.0.0.0/8 } ; flush ruleset"] },
      newline: { cidrs: ["10.0.0.0/8\n-F"] },
      name: { cidrs: ["example.com"] },
      exclude: { exclude: ["all"] },
      port: { port: "1080; reboot" },
      noPort: { port: 0 },
      fraction: { port: 1.5 },
      servers: { dns: { ...dns, servers: ["10.0.0.0/8"] } },
      dnsPort: { dns: { ...dns, port: 65536 } },
      ports: { dns: { ...dns, ownSourcePorts: { from: "1", to: 2 } } },
      unknown: { command: "reboot" },
      many: { cidrs: Array(4097).fill("10.0.0.0/8") },
      forwarded: { forwarded: "yes" },
      bridges: { forwarded: { bridges: ['x" drop; "'], nameServers: [] } },
      everyBridge: { forwarded: { bridges: ["*"], nameServers: [] } },
      noBridge: { forwarded: { bridges: [], nameServers: [] } },
      option: { forwarded: { bridges: ["-j"], nameServers: [] } },
    })
  ) {
    const { success } = v.safeParse(redirectArgsSchema, {
      ...ARGS,
      ...hostile,
    });
    assert.equal(success, false, name);
  }
});
