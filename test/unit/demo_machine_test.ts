import assert from "node:assert/strict";
import {
  type MachineFacts,
  machineFacts,
  machineObstacle,
} from "../../scripts/demo_machine.ts";

const DEBIAN_12: MachineFacts = {
  os: "linux",
  uid: 0,
  release:
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
  capabilities: 0x1fffeffffffn,
  hasWritableCgroups: true,
  isBuilt: false,
  freeBytes: 20e9,
};
const UBUNTU = 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nVERSION_ID="24.04"\n';
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
    [{ release: UBUNTU }, /needs Debian 12, .* this is Ubuntu 24\.04: /],
    [{ release: "" }, /needs Debian 12/],
    [
      { capabilities: CONTAINER },
      /needs CAP_NET_ADMIN and CAP_SYS_ADMIN, .*--privileged/,
    ],
    [{ hasWritableCgroups: false }, /\/sys\/fs\/cgroup .*--privileged/],
    [{ freeBytes: 2e9 }, /needs 4\.0 GB of disk, and 2\.0 GB are free/],
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
  if (Deno.build.os === "linux") assert.match(facts.release, /^ID=/m);
});
