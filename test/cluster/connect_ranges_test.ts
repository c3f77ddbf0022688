// `connect` captures the cluster's addresses and no others: local networks, the API server and what
// the user says are heeded.
import assert from "node:assert/strict";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import type { KtctlProcess } from "./ktctl_process.ts";
import { eventually } from "./laptop.ts";
import { joinOffice } from "./office_network.ts";

const ignore = obstacle !== undefined;
/** Behind a machine of the office, and wider than the cluster's range of pods, in which the address is. */
function widerThanPods(pod: string): string {
  const [first, second] = pod.split(".").map(Number);
  return `${first}.${second! & ~1}.0.0/15`;
}

const warnings = ({ events }: KtctlProcess) =>
  events.filter(({ event }) => event === "warning");

/** Ctrl-C; then all is as before. */
async function end(
  lab: ConnectLab,
  connect: KtctlProcess,
  before = lab.before,
): Promise<void> {
  const { code, stdout } = await connect.stop();
  assert.equal(code, 0, stdout);
  assert.equal(await lab.laptop.snapshot(), before);
  assert.equal(await lab.namespace.snapshot(), lab.namespaceBefore);
}

Deno.test({
  name:
    "connect: a local network inside the cluster's stays reachable, a wider one loses, and both are told",
  ignore,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const [service, pod] = await Promise.all([lab.clusterIp(), lab.podIp()]);
    const net = service.replace(/\.\d+\.\d+$/, ".255");
    const wider = widerThanPods(pod);
    const machine = `${net}.254`;
    const join = (routes: string[] = []) =>
      joinOffice(lab.laptop, { own: `${net}.253/30`, machine, routes });
    const office = () => lab.curl(`http://${machine}/`);
    {
      await using _office = await join([wider]);
      const before = await lab.laptop.snapshot();
      assert.equal(await office(), "office");
      for (const mode of ["tun2socks", "sshuttle"]) {
        await t.step(mode, async () => {
          await using connect = await lab.connect("--mode", mode);
          const told = warnings(connect).map(({ code, message }) =>
            `${code} ${message}`
          );
          assert.equal(told.length, 2, told.join("\n"));
          assert.match(
            told.find((one) => one.startsWith("RANGE_LEFT_OUT")) ?? "",
            /\.255\.252\/30 of this machine's device "office".*\.0\.0\/16/,
          );
          const overlap = told.find((one) =>
            one.startsWith("RANGE_OVERLAPS")
          ) ??
            "";
          const pods = pod.replace(/\.\d+$/, ".0/24");
          assert.ok(
            overlap.includes(`${wider} by "office"`) && overlap.includes(pods),
            overlap,
          );
          assert.equal(await office(), "office");
          for (const host of [service, `${pod}:8080`, "web"]) {
            assert.match(await lab.curl(`http://${host}/`), /^demo pod=/, host);
          }
          await end(lab, connect, before);
          assert.equal(await office(), "office");
        });
      }
    }

    await t.step(
      "sshuttle: a network that the machine comes into later stays reachable too",
      async () => {
        await using connect = await lab.connect("--mode", "sshuttle");
        {
          await using _office = await join();
          await eventually(
            "the office is reached",
            async () => await office() === "office",
          );
          assert.match(await lab.curl(`http://${service}/`), /^demo pod=/);
        }
        await end(lab, connect);
      },
    );
  },
});

Deno.test({
  name:
    "connect: --excludeIps, --includeIps and --disablePodIp are heeded; the API server is never captured",
  ignore,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop } = lab;
    const config = [
      "config",
      "view",
      "-o",
      "jsonpath={.clusters[0].cluster.server}",
    ];
    const { stdout: server } = await lab.namespace.kubectl(config);
    const { hostname: api, port } = new URL(server);
    const way = await laptop.output("ip", "route", "get", api);
    assert.match(way, / dev api /);
    // the kubelet's port, at the API server's own address
    const node = (address: string, port: number | string) =>
      lab.curl(`https://${address}:${port}/healthz`, "-k");
    assert.match(await node(api, port), /^ok$|Unauthorized|Forbidden/);
    const gateway = await laptop.node([
      "sh",
      "-c",
      "ip -4 -o address show dev cni0 | awk '{print $4}' | cut -d/ -f1",
    ]);
    const [service, grpc, pod] = await Promise.all([
      lab.clusterIp(),
      lab.clusterIp("web-grpc"),
      lab.podIp(),
    ]);

    for (const mode of ["tun2socks", "sshuttle"]) {
      await t.step(`${mode}: what is left out and what is added`, async () => {
        const wide = api.replace(/\.\d+$/, ".0/24");
        await using connect = await lab.connect(
          ...["--mode", mode, "--disablePodIp"],
          ...["--includeIps", `${wide},${pod}`, "--excludeIps", grpc],
        );
        assert.equal(await laptop.output("ip", "route", "get", api), way);
        assert.match(await node(api, port), /^ok$|Unauthorized|Forbidden/);
        // a single pod was added
        assert.match(await lab.curl(`http://${pod}:8080/`), /^demo pod=/);
        assert.match(await lab.curl(`http://${service}/`), /^demo pod=/);
        // the others are not captured, and the way out of this laptop ends in nothing
        for (
          const url of [`http://${gateway}:8080/`, `http://${grpc}:50051/`]
        ) {
          const { code } = await laptop.run(["curl", "-sS", "-m", "2", url]);
          assert.ok(code === 28 || code === 7, `${url}: ${code}`);
        }
        const { cidrs } = await connect.ready();
        const range = pod.replace(/\d+\.\d+$/, "");
        const pods = cidrs.filter((one: string) => one.startsWith(range));
        assert.deepEqual(pods, [`${pod}/32`]);
        await end(lab, connect);
      });
    }
  },
});
