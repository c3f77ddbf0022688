import assert from "node:assert/strict";
import { ConflictError } from "../../src/core/errors.ts";
import {
  openRedirectOperation,
  probeRedirectOperation,
  updateRedirectOperation,
} from "../../src/helper/operations/redirect_operations.ts";
import { nftRules } from "../../src/net/capture/nft_redirect.ts";
import { probeRedirect } from "../../src/net/capture/probe_redirect.ts";
import { CLOSED, ECHO, OWN } from "./laptop.ts";
import { obstacleWithout } from "./packages.ts";
import {
  addGuest,
  addStranger,
  BRIDGE,
  BRIDGE_ADDRESSES,
} from "./neighbours.ts";
import type { NetworkNamespace } from "./network_namespace.ts";
import { type Method, RedirectLab } from "./redirect_lab.ts";

const obstacle = await obstacleWithout({
  nft: "nftables",
  iptables: "iptables",
  ip: "iproute2",
  curl: "curl",
});

function test(claim: string, fn: () => Promise<void>): void {
  const name = obstacle === undefined ? claim : `${claim} (${obstacle})`;
  Deno.test({ name, ignore: obstacle !== undefined, fn });
}

const none = () => {};
/** The way out leads to nobody, as sooner or later is known. */
const NOBODY = /^(no answer|refused)$/;
const forwarded = { bridges: [BRIDGE], nameServers: [] };
const words = (text: string) => text.split(" ");

for (const method of ["nft", "iptables"] as const satisfies Method[]) {
  test(`${method}: captured addresses reach the cluster, excluded ones what they are`, async () => {
    await using lab = await RedirectLab.start();
    assert.ok(lab.ports.hasIpv6);
    await using _ = await lab.redirect(method);
    assert.equal(await lab.get("10.96.0.1"), "cluster 10.96.0.1 80");
    assert.equal(
      await lab.get("10.96.255.9", 8443),
      "cluster 10.96.255.9 8443",
    );
    assert.equal(await lab.get("fd96::9", 810), "cluster fd96::9 810");
    for (const address of [...OWN.excluded, ...OWN.resolvers, "127.0.0.1"]) {
      assert.equal(await lab.get(address), "real", address);
    }
  });

  test(`${method}: a port that is closed in the cluster is reset, and so is the listener's own`, async () => {
    await using lab = await RedirectLab.start();
    await using _ = await lab.redirect(method);
    for (const host of ["10.96.0.1", "fd96::1"]) {
      assert.equal(await lab.get(host, CLOSED), "refused", host);
    }
    for (const host of ["127.0.0.1", "::1"]) {
      assert.equal(await lab.get(host, lab.ports.port), "refused", host);
    }
    assert.equal(await lab.get("10.96.0.2"), "cluster 10.96.0.2 80");
  });

  test(`${method}: DNS to the resolver is answered here, but for the own server's questions`, async () => {
    await using lab = await RedirectLab.start();
    await using _ = await lab.redirect(method);
    for (const host of OWN.resolvers) {
      for (const protocol of ["udp", "tcp"] as const) {
        const question = { host, port: 53, protocol };
        assert.equal(await lab.ask(question), "local", `${host} ${protocol}`);
        assert.equal(
          await lab.ask({ ...question, sourcePort: 29_001 }),
          "real",
          `${host} ${protocol}`,
        );
      }
    }
    const ofCluster = {
      host: "10.96.0.10",
      port: 53,
      protocol: "udp",
    } as const;
    assert.equal(await lab.ask(ofCluster), "local");
  });

  test(`${method}: other UDP to the cluster is refused, not sent out into the world`, async () => {
    await using lab = await RedirectLab.start();
    await using _ = await lab.redirect(method);
    for (const address of ["10.96.0.1", "fd96::1"]) {
      // a refusal of the first datagram is told when the second is sent
      const { code, stderr } = await lab.space.exec("bash", [
        "-c",
        `exec 3>/dev/udp/${address}/4000; echo 1 >&3; echo 2 >&3`,
      ]);
      assert.match(stderr, /Connection refused/, address);
      assert.notEqual(code, 0);
    }
  });

  test(`${method}: a half-closed stream gets all of its bytes back`, async () => {
    await using lab = await RedirectLab.start();
    await using _ = await lab.redirect(method);
    for (const host of ["10.96.0.7", "fd96::7"]) {
      const { stdout, stderr } = await lab.space.exec(Deno.execPath(), [
        "run",
        "-A",
        new URL("echo_check.ts", import.meta.url).pathname,
        host,
        String(ECHO),
      ]);
      assert.equal(stdout.trim(), "same", stderr);
    }
  });

  test(`${method}: after a kill the journal alone puts the rules back byte by byte, twice`, async () => {
    await using lab = await RedirectLab.start();
    await lab.space.run("nft", "add", "table", "ip", "somebody");
    await lab.space.run(
      "iptables",
      ...words("-t nat -A OUTPUT -d 9.9.9.9 -j RETURN"),
    );
    await lab.space.run("ip6tables", ...words("-A OUTPUT -d fd09::9 -j DROP"));
    await settle(lab, method);
    const before = await lab.rules();
    const { journal } = await lab.redirect(method);
    assert.notEqual(await lab.rules(), before);
    await lab.sweep(journal);
    assert.equal(await lab.rules(), before);
    assert.equal(await lab.get(OWN.excluded[0]), "real");
    await lab.sweep(journal);
    assert.equal(await lab.rules(), before);
  });

  test(`${method}: the command for a person undoes it as well`, async () => {
    await using lab = await RedirectLab.start();
    await settle(lab, method);
    const before = await lab.rules();
    const { scope } = await lab.redirect(method);
    for (const { undoCommand } of scope.leftovers()) {
      await lab.space.run("sh", "-ec", undoCommand);
    }
    assert.equal(await lab.rules(), before);
  });

  test(`${method}: a revert of what never happened does nothing`, async () => {
    await using lab = await RedirectLab.start();
    await settle(lab, method);
    const before = await lab.rules();
    const { journal } = lab.scope();
    journal.append({
      type: "intent",
      n: 0,
      step: `${method}.redirect`,
      args: lab.args(),
    });
    await lab.sweep(journal);
    assert.equal(await lab.rules(), before);
  });

  test(`${method}: what a dead session of the same name left is replaced`, async () => {
    await using lab = await RedirectLab.start();
    await settle(lab, method);
    const before = await lab.rules();
    await lab.redirect(method, lab.args({ cidrs: ["10.98.0.0/16"] })); // and dies
    {
      await using _ = await lab.redirect(method);
      assert.equal(await lab.get("10.96.0.1"), "cluster 10.96.0.1 80");
      assert.equal(await lab.get(OWN.other), "real");
    }
    assert.equal(await lab.rules(), before);
  });

  test(`${method}: an update takes in new addresses and leaves with the redirect`, async () => {
    await using lab = await RedirectLab.start();
    await settle(lab, method);
    const before = await lab.rules();
    const update = {
      method,
      redirect: lab.args({
        cidrs: ["10.96.0.0/16", "10.97.0.1/32", "fd97::/64"],
      }),
    };
    {
      const redirected = await lab.redirect(
        method,
        lab.args({ cidrs: ["10.96.0.0/16"] }),
      );
      await using _ = redirected;
      await updateRedirectOperation.apply(update, redirected.scope, none);
      assert.equal(await lab.get("10.97.0.1"), "cluster 10.97.0.1 80");
      assert.equal(await lab.get("fd97::1"), "cluster fd97::1 80");
      assert.equal(await lab.get("10.96.0.1"), "cluster 10.96.0.1 80");
    }
    assert.equal(await lab.rules(), before);
    await assert.rejects(
      updateRedirectOperation.apply(update, lab.scope().scope, none),
      (error) =>
        error instanceof ConflictError && error.code === "REDIRECT_NOT_OPEN",
    );
    assert.equal(await lab.rules(), before);
  });

  test(`${method}: what comes from a bridge that was named is captured too, what strangers send is not`, async () => {
    await using lab = await RedirectLab.start({ bridges: [BRIDGE] });
    await using guest = await addGuest(lab.space);
    await using stranger = await addStranger(lab.space);
    const get = (from: NetworkNamespace, host: string) =>
      lab.get(host, 80, from);
    {
      await using _ = await lab.redirect(method); // nobody asked for it
      assert.match(await get(guest, "10.96.0.1"), NOBODY);
    }
    await using _ = await lab.redirect(method, lab.args({ forwarded }));
    for (const host of ["10.96.0.1", "fd96::1"]) {
      assert.equal(await get(lab.space, host), `cluster ${host} 80`);
      assert.equal(await get(guest, host), `cluster ${host} 80`);
      assert.match(await get(stranger, host), NOBODY, host);
      assert.equal(await lab.get(host, CLOSED, guest), "refused", host);
    }
    for (const host of ["203.0.113.1", "198.19.0.1"]) { // the listener itself
      assert.equal(await lab.get(host, lab.ports.port, stranger), "refused");
      assert.equal(await lab.get(host, lab.ports.port, guest), "refused");
    }
    // nor by another's rule that leads there
    const open = "PREROUTING -i lan -p tcp --dport 8080 -j REDIRECT";
    const to = `--to-ports ${lab.ports.port}`;
    const rule = `-t nat -A ${open} ${to}`;
    await lab.space.run("iptables", ...words(rule));
    assert.equal(await lab.get("203.0.113.1", 8080, stranger), "refused");
    assert.equal(await get(stranger, "203.0.113.1"), "real"); // they are there
  });

  test(`${method}: guests' DNS to this machine's name servers is answered, their other UDP to the cluster refused`, async () => {
    await using lab = await RedirectLab.start({
      bridges: [BRIDGE],
      nameServers: BRIDGE_ADDRESSES,
    });
    await using guest = await addGuest(lab.space);
    const args = lab.args({
      forwarded: { bridges: ["dock*"], nameServers: [...BRIDGE_ADDRESSES] },
    });
    await using _ = await lab.redirect(method, args);
    for (const host of [...OWN.resolvers, "10.96.0.10"]) {
      for (const protocol of ["udp", "tcp"] as const) {
        const question = { host, port: 53, protocol };
        assert.equal(await lab.ask(question, guest), "guests", host);
      }
    }
    for (const address of ["10.96.0.1", "fd96::1"]) {
      const { stderr } = await guest.exec("bash", [
        "-c",
        `exec 3>/dev/udp/${address}/4000; echo 1 >&3; echo 2 >&3`,
      ]);
      assert.match(stderr, /Connection refused/, address);
    }
  });

  test(`${method}: rules for bridges are updated, and put back by a person's command and after a kill`, async () => {
    await using lab = await RedirectLab.start({ bridges: [BRIDGE] });
    await using guest = await addGuest(lab.space);
    const args = lab.args({ forwarded });
    await settle(lab, method, args);
    const before = await lab.rules();
    const { scope } = await lab.redirect(method, args);
    for (const { undoCommand } of scope.leftovers()) {
      await lab.space.run("sh", "-ec", undoCommand);
    }
    assert.equal(await lab.rules(), before);
    const redirected = await lab.redirect(method, args); // and dies
    const redirect = lab.args({ forwarded, cidrs: ["10.97.0.0/16"] });
    await updateRedirectOperation.apply(
      { method, redirect },
      redirected.scope,
      none,
    );
    assert.equal(await lab.get("10.97.0.1", 80, guest), "cluster 10.97.0.1 80");
    await lab.sweep(redirected.journal);
    assert.equal(await lab.rules(), before);
  });
}

test("nft: a connection that was open before the rules came goes on", async () => {
  await using lab = await RedirectLab.start();
  const args = lab.args({ cidrs: ["10.98.0.0/16"] });
  const talk = await lab.space.run(
    "bash",
    "-c",
    `exec 3<>/dev/tcp/${OWN.other}/80; printf 'GET / HTTP/1.0\\r\\n' >&3
    nft -f - <<<$0; printf '\\r\\n' >&3; timeout 5 cat <&3`,
    nftRules(args),
  );
  assert.match(talk, /real$/);
  assert.equal(await lab.get(OWN.other), `cluster ${OWN.other} 80`);
});

test("nft: a connection that is open outlives an update", async () => {
  await using lab = await RedirectLab.start();
  await using _ = await lab.redirect("nft");
  const talk = await lab.space.run(
    "bash",
    "-c",
    `exec 3<>/dev/tcp/10.96.0.7/${ECHO}; echo one >&3; read -t 5 -u 3 a
    nft -f - <<<$0; echo two >&3; read -t 5 -u 3 b; echo $a $b`,
    nftRules(lab.args({ cidrs: ["10.99.0.0/16"] })),
  );
  assert.equal(talk.trim(), "one two");
  assert.equal(await lab.get("10.99.0.1"), "cluster 10.99.0.1 80");
});

test("closing the listener before the rules go ends what is open", async () => {
  await using lab = await RedirectLab.start();
  await using _ = await lab.redirect("nft");
  const { stdout } = await lab.space.exec("bash", [
    "-c",
    `exec 3<>/dev/tcp/10.96.0.7/${ECHO}; echo one >&3; read -t 5 -u 3 a; echo $a
    kill -TERM $0; read -t 5 -u 3 b || echo $?`,
    String(lab.laptopPid),
  ]);
  assert.equal(stdout, "one\n1\n"); // bash says 142 when the time is up
});

test("connections leave no file open", async () => {
  await using lab = await RedirectLab.start();
  await using _ = await lab.redirect("nft");
  await lab.get("10.96.0.1");
  const before = lab.openFiles();
  const urls = Array.from({ length: 60 }, (_, n) => `http://10.96.0.${n + 1}/`);
  await lab.space.run("curl", "-sS", "-m", "5", ...urls);
  const more = lab.openFiles() - before;
  assert.ok(more < 20, `${more} more after 60 connections`);
});

test("nft is taken first, then iptables; probing changes nothing", async () => {
  await using lab = await RedirectLab.start();
  const before = await lab.rules();
  const { scope } = lab.scope();
  assert.deepEqual(await probeRedirectOperation.apply({}, scope, none), {
    method: "nft",
  });
  const withoutNft = {
    exec: ((command, args, options) =>
      lab.space.exec(
        command === "nft" ? "nft-is-not-here" : command,
        args,
        options,
      )) as typeof lab.space.exec,
  };
  assert.equal(await probeRedirect(withoutNft), "iptables");
  assert.equal(await lab.rules(), before);
});

test("a machine from which nothing leads to the cluster is told from one with a route, or a default route", async () => {
  await using lab = await RedirectLab.start();
  const module = new URL(
    "../../src/net/capture/has_route.ts",
    import.meta.url,
  );
  const hasRoute = async (...cidrs: string[]) => {
    const code = `const { hasRoute } = await import(${
      JSON.stringify(module.href)
    });
      console.log(hasRoute(${JSON.stringify(cidrs)}))`;
    return (await lab.space.run(Deno.execPath(), "eval", code)).trim();
  };
  const cluster = ["10.96.0.0/12", "10.244.1.1", "fd96::/112"];
  assert.equal(await hasRoute(...cluster, "0.0.0.0/0"), "true");
  await lab.space.run("ip", "route", "del", "default");
  await lab.space.run("ip", "-6", "route", "del", "default");
  assert.equal(await hasRoute(...cluster), "false");
  // where it has nothing to capture, that is not the reason
  assert.equal(await hasRoute(), "true");
  await lab.space.batch(["route add 10.0.0.0/8 via 198.18.0.1"]);
  assert.equal(await hasRoute(...cluster), "true");
});

test("the operation redirects and gives all back with its scope", async () => {
  await using lab = await RedirectLab.start();
  const before = await lab.rules();
  const { scope } = lab.scope();
  const opened = await openRedirectOperation.apply(lab.args(), scope, none);
  assert.deepEqual(opened, { method: "nft" });
  assert.equal(await lab.get("10.96.0.1"), "cluster 10.96.0.1 80");
  await scope.dispose();
  assert.equal(await lab.rules(), before);
});

test("many ranges, everything at once and neighbours are all good rules", async () => {
  await using lab = await RedirectLab.start();
  const cidrs = [
    "0.0.0.0/0",
    "::/0",
    ...Array.from({ length: 256 }, (_, n) => `10.${n}.${n}.0/24`),
  ];
  for (const method of ["nft", "iptables"] as const) {
    await using _ = await lab.redirect(
      method,
      lab.args({ cidrs, exclude: ["10.0.0.1", "10.0.1.0/24", "fd00::/8"] }),
    );
    assert.equal(await lab.get("8.8.8.8"), "cluster 8.8.8.8 80");
    assert.equal(await lab.get("127.0.0.1"), "real");
  }
});

/** The tables that iptables makes when it is first used, and keeps, are there from the start. */
async function settle(
  lab: RedirectLab,
  method: Method,
  args = lab.args(),
): Promise<void> {
  if (method === "nft") return;
  const { journal } = await lab.redirect("iptables", args);
  await lab.sweep(journal);
}
