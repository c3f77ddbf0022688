import assert from "node:assert/strict";
import type { Json } from "../../../../../src/core/json.ts";
import { Scope } from "../../../../../src/undo/scope.ts";
import { WINDOWS_DEVICE_METHOD as METHOD } from "../../../../../src/net/tun/windows/windows_device_method.ts";
import { windowsFirewallStep } from "../../../../../src/net/tun/windows/windows_firewall_step.ts";
import { MemoryJournal } from "../../../core/memory_journal.ts";
import {
  type Asked,
  powershellMachine,
} from "../../../helper/powershell_machine.ts";

const ARGS = {
  session: "abc12",
  uid: 0,
  mtu: 1500,
  cidrs: ["10.96.0.0/12", "fd00:1::/112"],
};
const DEVICE = "ktctl-abc12";

/** Windows, with a network where the first choice of an address would lie. */
function windows({ families = [4, 6] }: { families?: Json } = {}) {
  const failing = new Set<string>();
  const answer = ({ cmdlets }: Asked): Json | Error => {
    const bad = cmdlets.find((one) => failing.has(one));
    if (bad !== undefined) return new Error(`${bad}: refused`);
    if (cmdlets.includes("New-NetIPAddress")) return { families };
    if (cmdlets.includes("New-NetRoute")) return null;
    if (!cmdlets.includes("Get-NetRoute")) return null;
    return {
      routes: [{
        prefix: "198.19.255.252/30",
        gateway: "0.0.0.0",
        device: "VPN",
        protocol: "NetMgmt",
      }],
      addresses: [],
    };
  };
  const { machine, asked } = powershellMachine(answer);
  const journal = new MemoryJournal();
  const { signal } = new AbortController();
  const scope = Scope.root({ world: machine, journal, signal });
  return { scope, journal, asked, machine, failing };
}

/** What a script that does something was asked, by its first cmdlet of the kind. */
const inputs = (asked: readonly Asked[], cmdlet: string) =>
  asked.filter(({ cmdlets }) => cmdlets.includes(cmdlet))
    .map(({ input }) => input);

Deno.test("the client's adapter gets addresses that nobody has, a rule of the firewall, and routes, in that order", async () => {
  const it = windows();
  const opened = await METHOD.open(ARGS, it.scope);
  assert.deepEqual(opened, {
    device: DEVICE,
    ipv4: { local: "198.19.255.249", peer: "198.19.255.250" },
    ipv6: {
      local: "fd6b:7463:746c::fffd",
      peer: "fd6b:7463:746c::fffe",
    },
  });
  assert.deepEqual(it.asked.slice(1).map(({ input }) => input), [
    {
      device: DEVICE,
      mtu: 1500,
      addresses: [
        { family: 4, local: "198.19.255.249", prefixLength: 30 },
        { family: 6, local: "fd6b:7463:746c::fffd", prefixLength: 126 },
      ],
    },
    { rule: DEVICE, program: Deno.execPath() },
    { device: DEVICE, add: ARGS.cidrs, remove: [] },
  ]);
  await it.scope.dispose();
});

Deno.test("what stays when the adapter goes is the firewall's rule alone, and it is journalled", async () => {
  const it = windows();
  await METHOD.open(ARGS, it.scope);
  assert.deepEqual(
    it.journal.records.flatMap((one) =>
      one.type === "intent" ? [[one.step, one.args]] : []
    ),
    [["tun.windows-firewall", { session: "abc12" }]],
  );
  const before = it.asked.length;
  await it.scope.dispose();
  assert.deepEqual(it.asked.slice(before).map(({ input }) => input), [
    { rule: DEVICE },
  ]);
  assert.ok(it.asked.at(-1)?.cmdlets.includes("Remove-NetFirewallRule"));
});

Deno.test("where Windows has no IPv6, the device has no such addresses and routes", async () => {
  for (const families of [[4], 4, { value: [4], Count: 1 }]) {
    const it = windows({ families });
    const opened = await METHOD.open(ARGS, it.scope);
    assert.equal(opened.ipv6, undefined);
    assert.deepEqual(inputs(it.asked, "New-NetRoute"), [
      { device: DEVICE, add: ["10.96.0.0/12"], remove: [] },
    ]);
    await it.scope.dispose();
  }
});

Deno.test("routes that are known already are not made again, and a failure changes nothing that is known", async () => {
  const it = windows();
  await METHOD.open(ARGS, it.scope);
  const routes = { session: "abc12", device: DEVICE };
  await METHOD.updateRoutes({ ...routes, cidrs: ARGS.cidrs }, it.machine);
  const cidrs = ["10.96.0.0/12", "172.16.0.0/16"];
  it.failing.add("New-NetRoute");
  await assert.rejects(
    METHOD.updateRoutes({ ...routes, cidrs }, it.machine),
    { code: "POWERSHELL_FAILED" },
  );
  it.failing.clear();
  await METHOD.updateRoutes({ ...routes, cidrs }, it.machine);
  const change = {
    device: DEVICE,
    add: ["172.16.0.0/16"],
    remove: ["fd00:1::/112"],
  };
  assert.deepEqual(inputs(it.asked, "New-NetRoute").slice(1), [change, change]);
  await assert.rejects(
    METHOD.updateRoutes(
      { session: "other", device: DEVICE, cidrs },
      it.machine,
    ),
    { code: "TUN_NOT_OPEN" },
  );
  await it.scope.dispose();
  await assert.rejects(
    METHOD.updateRoutes({ ...routes, cidrs }, it.machine),
    { code: "TUN_NOT_OPEN" },
  );
});

Deno.test("a device that cannot be set up leaves no rule of the firewall, and can be tried again", async () => {
  const it = windows();
  for (const cmdlet of ["New-NetRoute", "New-NetIPAddress"]) {
    it.failing.add(cmdlet);
    const scope = it.scope.child(cmdlet);
    await assert.rejects(METHOD.open(ARGS, scope), {
      code: "POWERSHELL_FAILED",
    });
    await scope.dispose();
    const rules = (cmdlet: string) => inputs(it.asked, cmdlet).length;
    assert.equal(rules("New-NetFirewallRule"), 1);
    assert.equal(rules("Remove-NetFirewallRule"), 1);
  }
  it.failing.clear();
  await METHOD.open(ARGS, it.scope);
  await it.scope.dispose();
});

Deno.test("a Windows without what it takes is refused by the probe, with a way out", async () => {
  const cmdlet = "New-NetRoute: The term 'New-NetRoute' is not recognized";
  const { machine, asked } = powershellMachine(() => new Error(cmdlet));
  await assert.rejects(METHOD.probe(machine), {
    code: "POWERSHELL_FAILED",
    message: /New-NetRoute/,
    hint: /Windows 10 or newer/,
  });
  assert.equal(asked.length, 1);
  await METHOD.probe(powershellMachine(() => null).machine);
});

Deno.test("a clean-up tells of the firewall's rule only where it is there", async () => {
  const { signal } = new AbortController();
  for (const count of [0, 1]) {
    const { machine } = powershellMachine(() => count);
    const isPresent = windowsFirewallStep.isPresent;
    assert.equal(
      await isPresent?.({ session: "abc12" }, machine, signal),
      count > 0,
    );
  }
});
