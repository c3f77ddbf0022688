// `connect` where Services have more than one range: known from the start, added later, and with less rights.
import assert from "node:assert/strict";
import { makeAccount } from "./account.ts";
import { succeeded } from "./cluster.ts";
import { cluster, ConnectLab, obstacle } from "./connect_lab.ts";
import { grant } from "./grant.ts";
import { eventually } from "./laptop.ts";

const RANGE = "10.199.7.0/24";
const ADDRESS = "10.199.7.7";

/** Before Kubernetes 1.33 (1.31 as beta) there is one range. */
const isServed = cluster !== undefined && obstacle === undefined &&
  (await cluster.kubectl(["get", "servicecidrs"])).code === 0;

/** A second range of Services, for the whole cluster, until it is disposed of. */
async function addRange(name: string): Promise<AsyncDisposable> {
  const { kubectl } = cluster!;
  const object = {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name },
    spec: { cidrs: [RANGE] },
  };
  const stdin = JSON.stringify(object);
  succeeded(await kubectl(["create", "-f", "-"], { stdin }));
  return {
    async [Symbol.asyncDispose]() {
      succeeded(await kubectl(["delete", "servicecidr", name]));
    },
  };
}

Deno.test({
  name:
    "connect captures every range of Services, also one that comes later, and says where it may not know them",
  ignore: !isServed,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const { laptop, namespace } = lab;
    const asked = () => lab.curl(`http://${ADDRESS}/`);
    await using stack = new AsyncDisposableStack();

    await t.step("one that is added meanwhile", async () => {
      await using connect = await lab.connect("--mode", "tun2socks");
      const captured = connect.event(({ event }) => event === "captured");
      stack.use(await addRange(namespace.name));
      const { cidrs } = await captured;
      assert.ok(cidrs.includes(RANGE), cidrs.join());
      // the range is told of before anybody has an address in it
      const spec = {
        clusterIP: ADDRESS,
        selector: { app: "web" },
        ports: [{ port: 80, targetPort: 8080 }],
      };
      const more = { apiVersion: "v1", kind: "Service", spec };
      const create = JSON.stringify({ ...more, metadata: { name: "more" } });
      // the server takes a moment until it gives addresses of a new range
      await eventually("a Service is made in the new range", async () => {
        const args = ["create", "-f", "-"];
        return (await namespace.kubectl(args, { stdin: create })).code === 0;
      });
      stack.defer(async () => {
        succeeded(await namespace.kubectl(["delete", "service", "more"]));
      });
      const answer = await lab.curl(
        `http://${ADDRESS}/`,
        ...["--retry", "20", "--retry-delay", "1", "--retry-all-errors"],
      );
      assert.match(answer, /^demo pod=/);
      assert.equal((await connect.stop()).code, 0);
      assert.equal(await laptop.snapshot(), lab.before);
    });

    await t.step("both from the start", async () => {
      await using connect = await lab.connect("--mode", "sshuttle");
      const { cidrs } = await connect.ready();
      assert.ok(cidrs.includes(RANGE), cidrs.join());
      assert.match(await asked(), /^demo pod=/);
      assert.equal((await connect.stop()).code, 0);
      assert.equal(await laptop.snapshot(), lab.before);
    });

    await t.step("by a Role of one namespace", async () => {
      const dir = laptop.folder;
      const account = { name: "dev", dir };
      const kubeconfig = await makeAccount(cluster!, namespace, account);
      await grant(namespace, { account: "dev", role: "connect" });
      await using connect = laptop.ktctl(["connect"], {
        KUBECONFIG: kubeconfig,
      });
      await connect.ready();
      assert.match(await asked(), /^demo pod=/);
      const { code, events } = await connect.stop();
      assert.equal(code, 0);
      const told = events.find(({ code }) => code === "SERVICE_RANGE_PARTIAL");
      // a server's refusal names any one of its ranges
      const captured = [`${ADDRESS}/32`, RANGE].map(RegExp.escape).join("|");
      assert.match(
        told?.["message"] ?? "",
        new RegExp(`(${captured}).*servicecidrs`),
      );
    });
  },
});
