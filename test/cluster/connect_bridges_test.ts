// Containers of a laptop, a network namespace behind a bridge, reach the cluster by either transport.
import assert from "node:assert/strict";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import type { NetLaptop } from "./net_laptop.ts";

const BRIDGE = "172.17.0.1";

async function addContainer(laptop: NetLaptop): Promise<void> {
  await laptop.output(
    "sh",
    "-euc",
    `sysctl -qw net.ipv4.ip_forward=1
     ip link add docker0 type bridge
     ip address add ${BRIDGE}/16 dev docker0
     ip link set docker0 addrgenmode none; ip link set docker0 up
     ip netns add container
     ip link add plug master docker0 type veth peer name eth0 netns container
     ip link set plug addrgenmode none; ip link set plug up
     ip -n container link set eth0 up
     ip -n container address add 172.17.0.2/16 dev eth0
     ip -n container route add default via ${BRIDGE}`,
  );
}

Deno.test({
  name:
    "connect --includeBridges: a container gets to a Service and asks for names, in both modes, and nothing is left",
  ignore: obstacle !== undefined,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    await addContainer(laptop);
    // a new bridge gets to know a little later that it is up
    const snapshot = async () =>
      (await laptop.snapshot()).replace(/( docker0: .*) state \w+/, "$1");
    const before = await snapshot();
    const service = await lab.clusterIp();
    const name = `web.${namespace.name}.svc.cluster.local`;
    const inside = async (...command: string[]) => {
      const enter = ["ip", "netns", "exec", "container"];
      const { code, stdout } = await laptop.run([...enter, ...command]);
      return code === 0 ? stdout.trim() : `exit code ${code}`;
    };
    const dig = (...words: string[]) =>
      inside("dig", "+short", "+time=5", "+tries=1", `@${BRIDGE}`, ...words);
    const curl = () => inside("curl", "-sS", "-m", "5", `http://${service}/`);
    const flags = ["--includeBridges", "docker0,br-*"];
    for (const mode of ["tun2socks", "sshuttle"]) {
      await t.step(mode, async () => {
        await using connect = await lab.connect("--mode", mode, ...flags);
        assert.match(await curl(), /^demo pod=web-/);
        assert.equal(await dig(name), service);
        assert.equal(await dig("+tcp", name), service);
        assert.equal(await dig("www.example.com"), "192.0.2.80");
        assert.match(await lab.curl("http://web/"), /^demo pod=web-/);
        assert.equal((await connect.stop()).code, 0);
        assert.equal(await snapshot(), before);
      });
    }

    await t.step("a device behind which others are is refused", async () => {
      const { error, code } = await laptop
        .ktctl(["connect", "--includeBridges", "lan"]).ended();
      assert.equal(error?.["code"], "BRIDGE_REFUSED");
      assert.equal(code, 2);
    });
  },
});
