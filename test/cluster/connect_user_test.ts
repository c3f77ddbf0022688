// `connect` as people run it: as a user who is not root, with sudo or without.
import assert from "node:assert/strict";
import { UID } from "../netns/machine_user.ts";
import { cluster, ConnectLab, obstacle } from "./connect_lab.ts";
import { LaptopUser, PATH_WITHOUT_SUDO } from "./laptop_user.ts";

/** As a helper leaves it that was killed. */
const LEFT_JOURNAL = "/run/ktctl/helper-dead.jsonl";

Deno.test({
  name:
    "connect as a user: the proxy needs no sudo, all else asks it for root, and what is the user's stays so",
  ignore: obstacle !== undefined,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    const user = await LaptopUser.add(laptop, {
      cluster: cluster!,
      namespace: namespace.name,
    });
    let before = await laptop.snapshot();
    const assertAsBefore = async () => {
      assert.equal(await laptop.snapshot(), before);
      assert.equal(await namespace.snapshot(), lab.namespaceBefore);
      assert.equal(await user.journals(), "");
      assert.equal(await user.foreignFiles(), "");
      assert.deepEqual(await user.askers(), [UID]);
    };
    const answers = async (url: string, ...args: string[]) =>
      assert.match(await lab.curl(url, ...args), /^demo pod=web-/);

    await t.step("connect --disableTunDevice without sudo", async () => {
      await using connect = user.ktctl(["connect", "--disableTunDevice"]);
      await connect.ready();
      await answers("http://web/", "-x", "socks5h://127.0.0.1:2223");
      const { code, stdout } = await connect.stop();
      assert.equal(code, 0, stdout);
      await assertAsBefore();
    });

    await t.step("forward without sudo", async () => {
      await using forward = user.ktctl(["forward", "web", "18080:80"]);
      await forward.ready();
      await answers("http://127.0.0.1:18080/");
      const { code, stdout } = await forward.stop();
      assert.equal(code, 0, stdout);
      await assertAsBefore();
    });

    for (
      const { title, args, env, expected } of [
        {
          title: "sudo refuses",
          args: [],
          env: {},
          expected: { code: "ROOT_REFUSED", says: /--disableTunDevice/ },
        },
        {
          title: "there is no sudo",
          args: ["--mode", "sshuttle"],
          env: { PATH: PATH_WITHOUT_SUDO },
          expected: { code: "ROOT_NEEDED", says: /--disableTunDevice/ },
        },
      ]
    ) {
      await t.step(`without root, as ${title}, nothing is made`, async () => {
        const refused = user.ktctl(["connect", ...args], env);
        const { code, error, stdout, stderr } = await refused.ended();
        assert.equal(error?.["code"], expected.code, stdout + stderr);
        assert.equal(code, 4);
        assert.match(error["hint"], expected.says);
        assert.ok(!stdout.includes("start the Shadow Pod"), stdout);
        await assertAsBefore();
      });
    }

    await t.step(
      "without root, clean does the cluster's part, and says that this machine's is left",
      async () => {
        await using connect = user.ktctl(["connect", "--disableTunDevice"]);
        await connect.ready();
        connect.kill("SIGKILL");
        await connect.ended();
        await laptop.output("mkdir", "-m", "755", "/run/ktctl");
        await laptop.output("install", "-m", "600", "/dev/null", LEFT_JOURNAL);
        assert.notEqual(await namespace.snapshot(), lab.namespaceBefore);
        const left = await user.ktctl(["clean"]).ended();
        assert.equal(left.code, 9, left.stdout + left.stderr);
        assert.equal(left.error?.["code"], "MACHINE_NOT_CLEANED");
        assert.equal(left.events.at(-1)?.["state"], "incomplete");
        await laptop.output("rm", "-r", "/run/ktctl");
        await assertAsBefore();
        const { code, stdout } = await user.ktctl(["clean"]).ended();
        assert.equal(code, 0, stdout);
        assert.match(stdout, /Nothing to clean/);
      },
    );

    await user.allowSudo();
    before = await laptop.snapshot();
    for (const mode of ["tun2socks", "sshuttle"]) {
      await t.step(`connect --mode ${mode} with sudo`, async () => {
        await using connect = user.ktctl(["connect", "--mode", mode]);
        await connect.ready();
        await answers("http://web/");
        await answers(`http://${await lab.clusterIp()}/`);
        assert.equal(await user.foreignFiles(), "");
        const { code, stdout, stderr } = await connect.stop();
        assert.equal(code, 0, stdout + stderr);
        await assertAsBefore();
      });
    }
  },
});
