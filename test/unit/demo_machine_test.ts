import assert from "node:assert/strict";
import {
  type MachineFacts,
  machineFacts,
  machineObstacle,
} from "../../scripts/demo_machine.ts";

const DEBIAN_12: MachineFacts = {
  os: "linux",
  uid: 0,
  arch: "x86_64",
  hasApt: true,
  capabilities: 0x1fffeffffffn,
  hasWritableCgroups: true,
  isBuilt: false,
  freeBytes: 20e9,
};
/** Of a container of docker without --privileged. */
const CONTAINER = 0xa80425fbn;

Deno.test("the demo goes on a Debian 12 with root, capabilities and room", () => {
  assert.equal(machineObstacle(DEBIAN_12), undefined);
  const little = { ...DEBIAN_12, isBuilt: true, freeBytes: 2e9 };
  assert.equal(machineObstacle(little), undefined);
});

for (
  const [change, text] of [
    [{ os: "darwin" }, /needs Linux, and this is darwin: .*virtual machine/],
    [{ uid: 1000 }, /needs root, .*sudo/],
    [{ hasApt: false }, /needs apt, .*no apt-get here: .*Debian 12/],
    [{ arch: "aarch64" }, /needs an x86-64 processor, and this is aarch64: /],
    [
      { capabilities: CONTAINER },
      /needs CAP_NET_ADMIN and CAP_SYS_ADMIN, .*--privileged/,
    ],
    [{ hasWritableCgroups: false }, /\/sys\/fs\/cgroup .*--privileged/],
    [{ freeBytes: 2e9 }, /needs 7\.0 GB of disk, and 2\.0 GB are free/],
    [{ freeBytes: 1e8, isBuilt: true }, /needs 1\.0 GB of disk/],
  ] as const
) {
  Deno.test(`the demo says what is in the way: ${text.source}`, () => {
    const obstacle = machineObstacle({ ...DEBIAN_12, ...change });
    assert.match(obstacle ?? "", text);
    assert.match(obstacle ?? "", /KTCTL_TEST_KUBECONFIG=<file>$/);
  });
}

Deno.test("the demo reads this machine", async () => {
  const facts = await machineFacts();
  assert.equal(facts.uid, Deno.uid());
  assert.ok(facts.freeBytes > 0);
  assert.equal(facts.arch, Deno.build.arch);
});
