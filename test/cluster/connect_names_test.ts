// The modes of names, and what comes into the cluster while `connect` runs.
import assert from "node:assert/strict";
import { succeeded } from "./cluster.ts";
import { cluster, ConnectLab, obstacle } from "./connect_lab.ts";
import { eventually } from "./laptop.ts";
import { INTERNET, OWN_IPV4, OWN_IPV6, UPSTREAM } from "./net_laptop.ts";

const ignore = obstacle !== undefined;

Deno.test({
  name:
    "connect knows names by each mode of names, and what comes to the cluster later",
  ignore,
  async fn(t) {
    await using lab = await ConnectLab.open();

    for (const mode of ["tun2socks", "sshuttle"]) {
      await t.step(
        `--mode ${mode} --dnsMode hosts: Services of the named namespaces are in the hosts file, as they come and go`,
        async () => {
          const { laptop, namespace } = lab;
          const dnsMode = `hosts:${namespace.name},kube-system`;
          await using connect = await lab.connect(
            "--mode",
            mode,
            "--dnsMode",
            dnsMode,
          );
          const own = [
            "web",
            `web.${namespace.name}`,
            `web.${namespace.name}.svc.cluster.local`,
          ];
          for (const name of own) {
            assert.match(
              await lab.curl(`http://${name}/`),
              /^demo pod=web-/,
              name,
            );
          }
          const dns = await laptop.output(
            "getent",
            "hosts",
            "kube-dns.kube-system",
          );
          const address = (await cluster!.kubectl([
            ...["--namespace", "kube-system", "get", "service", "kube-dns"],
            ...["-o", "jsonpath={.spec.clusterIP}"],
          ])).stdout;
          assert.equal(dns.split(/\s/)[0], address);
          // the machine's resolver is as it was
          assert.match(
            await laptop.output("cat", "/etc/resolv.conf"),
            /^# written by the test/,
          );

          succeeded(
            await namespace.kubectl([
              "expose",
              "deployment",
              "web",
              "--name",
              "late",
              "--port=80",
              "--target-port=8080",
            ]),
          );
          await eventually(
            "a new Service has its name",
            async () => /^demo pod=web-/.test(await lab.curl("http://late/")),
          );
          succeeded(await namespace.kubectl(["delete", "service", "late"]));
          await eventually(
            "and loses it with the Service",
            async () =>
              (await laptop.run(["getent", "hosts", "late"])).code === 2,
          );

          assert.equal((await connect.stop()).code, 0);
          assert.equal(await laptop.snapshot(), lab.before);
        },
      );
    }

    await t.step(
      "--dnsMode podDNS: the cluster's name server is asked for everything",
      async () => {
        const full = `web.${lab.namespace.name}.svc.cluster.local`;
        await using connect = await lab.connect(
          "--mode",
          "sshuttle",
          "--dnsMode",
          "podDNS",
        );
        assert.equal(await lab.dig(full), await lab.clusterIp());
        // which knows nothing of the laptop's Internet
        assert.equal(await lab.dig("www.example.com"), "");
        assert.equal((await connect.stop()).code, 0);
        assert.equal(
          await lab.dig("www.example.com"),
          INTERNET["www.example.com"],
        );
        assert.equal(await lab.laptop.snapshot(), lab.before);
      },
    );

    for (
      const [family, other] of [["IPv4", OWN_IPV4], ["IPv6", OWN_IPV6]] as const
    ) {
      await t.step(
        `--mode sshuttle follows the machine to other name servers (${family}), and captures the former ones on`,
        async () => {
          const { laptop } = lab;
          const file = `${laptop.folder}/etc/resolv.conf`;
          const original = await Deno.readTextFile(file);
          const full = `web.${lab.namespace.name}.svc.cluster.local`;
          const service = await lab.clusterIp();
          const names = { "www.example.com": "192.0.2.81" };
          {
            await using _others = await laptop.serveNames(other, names);
            await using connect = await lab.connect("--mode", "sshuttle");
            assert.equal(await lab.dig(`@${other}`, full), "");
            await Deno.writeTextFile(file, `nameserver ${other}\n`);
            await eventually(
              "the new name server's queries come to us",
              async () => await lab.dig(`@${other}`, full) === service,
            );
            assert.equal(await lab.dig(`@${UPSTREAM}`, full), service);
            assert.deepEqual(
              { "www.example.com": await lab.dig("www.example.com") },
              names,
            );
            assert.equal((await connect.stop()).code, 0);
            assert.equal(await lab.dig(`@${other}`, full), "");
          }
          await Deno.writeTextFile(file, original);
          assert.equal(await laptop.snapshot(), lab.before);
        },
      );
    }

    await t.step(
      "--ingressIp: hosts of Ingresses have that address, as they come and go",
      async () => {
        await using connect = await lab.connect("--ingressIp", "192.0.2.99");
        assert.equal(await lab.dig("shop.example.net"), "");

        await lab.namespace.apply(JSON.stringify({
          apiVersion: "networking.k8s.io/v1",
          kind: "Ingress",
          metadata: { name: "shop" },
          spec: {
            rules: ["shop.example.net", "*.shop.example.net"].map((host) => ({
              host,
              http: {
                paths: [{
                  path: "/",
                  pathType: "Prefix",
                  backend: { service: { name: "web", port: { number: 80 } } },
                }],
              },
            })),
          },
        }));
        await eventually(
          "the host has the address",
          async () => await lab.dig("shop.example.net") === "192.0.2.99",
        );
        assert.equal(await lab.dig("one.shop.example.net"), "192.0.2.99");
        assert.equal(
          await lab.dig("www.example.com"),
          INTERNET["www.example.com"],
        );
        succeeded(await lab.namespace.kubectl(["delete", "ingress", "shop"]));
        await eventually(
          "and loses it with the Ingress",
          async () => await lab.dig("shop.example.net") === "",
        );
        assert.equal((await connect.stop()).code, 0);
      },
    );

    await t.step(
      "takes in what the cluster gets outside of the known ranges",
      async () => {
        const service = await lab.clusterIp();
        await using connect = await lab.connect(
          "--includeIps",
          "10.250.0.0/16",
        );
        assert.match(
          await lab.laptop.output("ip", "route"),
          /^10\.250\.0\.0\/16 dev ktctl0/m,
        );
        // the new node's pods: the cluster has one that nobody runs
        const node = {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: `kt-test-${lab.namespace.name.slice(-8)}` },
          spec: {
            podCIDR: "10.251.7.0/24",
            podCIDRs: ["10.251.7.0/24"],
            unschedulable: true,
          },
        };
        await lab.namespace.apply(JSON.stringify(node));
        try {
          const { cidrs } = await connect.event("captured");
          assert.ok(cidrs.includes("10.251.7.0/24"), cidrs);
          assert.match(
            await lab.laptop.output("ip", "route"),
            /^10\.251\.7\.0\/24 dev ktctl0/m,
          );
          assert.match(await lab.curl(`http://${service}/`), /^demo pod=web-/);
        } finally {
          await lab.namespace.kubectl(["delete", "node", node.metadata.name]);
        }
        assert.equal((await connect.stop()).code, 0);
        assert.equal(await lab.laptop.snapshot(), lab.before);
      },
    );
  },
});
