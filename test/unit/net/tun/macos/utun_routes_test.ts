// What macOS's programs are asked, and what they are taken to say.
import assert from "node:assert/strict";
import * as v from "valibot";
import {
  MACOS_DEVICE_METHOD,
  utunSettings,
} from "../../../../../src/net/tun/macos/macos_device_method.ts";
import { tunRoutesArgsSchema } from "../../../../../src/net/tun/tun_args.ts";
import {
  CTLIOCGINFO,
  packControlAddress,
  packControlInfo,
  readDeviceName,
} from "../../../../../src/net/tun/macos/utun_control.ts";
import {
  replaceUtunRoutes,
  routeProblem,
} from "../../../../../src/net/tun/macos/utun_routes.ts";

function mac(failing: Record<string, string> = {}) {
  const asked: string[] = [];
  const exec = (command: string, args: readonly string[]) => {
    const line = [command, ...args].join(" ");
    asked.push(line);
    // as some versions of route do: the failure is in the text alone
    const [, verb, , net] = args;
    const failure = failing[line];
    const stdout = `${verb} net ${net}: gateway utun5${
      failure === undefined ? "" : `: ${failure}`
    }\n`;
    return Promise.resolve({ code: 0, stdout, stderr: "" });
  };
  return { asked, machine: { exec } };
}

Deno.test("the kernel is asked for utun as its structs have it", () => {
  const info = packControlInfo();
  assert.equal(info.length, Number((CTLIOCGINFO >> 16n) & 0x1fffn));
  assert.equal(
    new TextDecoder().decode(info.subarray(4)).replace(/\0+$/, ""),
    "com.apple.net.utun_control",
  );
  info.set([7, 1, 0, 0]); // as the kernel fills in
  assert.deepEqual([...packControlAddress(info)], [
    ...[32, 32, 2, 0],
    ...[7, 1, 0, 0],
    ...new Array(24).fill(0),
  ]);
});

Deno.test("a utun device's name is one, whatever is in the buffer", () => {
  const named = (text: string) =>
    readDeviceName(new TextEncoder().encode(text));
  assert.equal(named("utun12\0\0\0\0"), "utun12");
  assert.equal(named("en0\0"), undefined);
  assert.equal(named("utun5;rm\0"), undefined);
  assert.equal(named(""), undefined);
});

Deno.test("a utun device gets its two addresses, then its size", () => {
  const settings = utunSettings({
    device: "utun5",
    mtu: 1500,
    local: "198.19.255.253",
    peer: "198.19.255.254",
  });
  assert.deepEqual(settings.map((args) => args.join(" ")), [
    "utun5 inet 198.19.255.253 198.19.255.254 netmask 255.255.255.255",
    "utun5 mtu 1500 up",
  ]);
});

Deno.test("routes are added before others are deleted, IPv6 and reserved ones left out", async () => {
  const { asked, machine } = mac();
  const its = {
    device: "utun5",
    routes: new Set(["10.96.0.0/12", "10.244.1.0/24"]),
  };
  await replaceUtunRoutes(machine, its, [
    "10.96.0.0/12",
    "10.244.3.0/24",
    "fd96::/112",
    "127.0.0.0/8",
  ]);
  assert.deepEqual(asked, [
    "route -n add -net 10.244.3.0/24 -interface utun5",
    "route -n delete -net 10.244.1.0/24 -interface utun5",
  ]);
  assert.deepEqual([...its.routes], ["10.96.0.0/12", "10.244.3.0/24"]);
});

Deno.test("a route that is taken is told, and all is as before", async () => {
  const { asked, machine } = mac({
    "route -n add -net 10.8.0.0/16 -interface utun5": "File exists",
  });
  const its = { device: "utun5", routes: new Set(["10.1.0.0/16"]) };
  await assert.rejects(
    replaceUtunRoutes(machine, its, ["10.96.0.0/12", "10.8.0.0/16"]),
    { code: "ROUTE_TAKEN" },
  );
  assert.deepEqual(
    asked.at(-1),
    "route -n delete -net 10.96.0.0/12 -interface utun5",
  );
  assert.deepEqual([...its.routes], ["10.1.0.0/16"]);
});

Deno.test("a route that has gone already is no error when it is deleted", async () => {
  const { machine } = mac({
    "route -n delete -net 10.96.0.0/12 -interface utun5": "not in table",
  });
  const its = { device: "utun5", routes: new Set(["10.96.0.0/12"]) };
  await replaceUtunRoutes(machine, its, []);
  assert.equal(its.routes.size, 0);
});

Deno.test("route's failures are seen whatever its exit code is", () => {
  const said = (stdout: string, stderr = "", code = 0) =>
    routeProblem({ code, stdout, stderr });
  assert.equal(said("add net 10.96.0.0: gateway utun5\n"), undefined);
  assert.equal(
    said("add net 10.96.0.0: gateway utun5: File exists\n"),
    "File exists",
  );
  assert.equal(
    said("", "route: must be root to alter routing table\n", 77),
    "must be root to alter routing table",
  );
  assert.equal(said("", "", 1), "exit code 1");
});

Deno.test("routes of a device that the session has not opened stay as they are", async () => {
  const machine = { root: "", exec: () => assert.fail("it ran something") };
  await assert.rejects(
    MACOS_DEVICE_METHOD.updateRoutes(
      { session: "x1y2", device: "utun4", cidrs: ["10.0.0.0/8"] },
      machine,
    ),
    { code: "TUN_NOT_OPEN" },
  );
});

Deno.test("a device is named as ours are, or as macOS names them", () => {
  const isTaken = (device: string) =>
    v.safeParse(tunRoutesArgsSchema, { session: "x", device, cidrs: [] })
      .success;
  assert.ok(isTaken("utun5") && isTaken("ktctl0"));
  for (const name of ["en0", "utun", "utun5 up", "utun5\n", "-utun5"]) {
    assert.ok(!isTaken(name), name);
  }
});
