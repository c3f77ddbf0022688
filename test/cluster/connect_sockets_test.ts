// Which sockets of the laptop are open to others while `connect` runs, those of its root helper included.
import assert from "node:assert/strict";
import { ConnectLab, obstacle } from "./connect_lab.ts";
import { eventually } from "./laptop.ts";
import { OWN_IPV4 } from "./net_laptop.ts";

/** Our own questions come from such ports. */
const QUESTION = new RegExp(`^${OWN_IPV4}:6[1-4]\\d\\d\\d$`);
const LOOPBACK = /^(127\.\d+\.\d+\.\d+|\[::1\]):\d+$/;

/** Local ends of all that others could send to: TCP that listens, and all of UDP. */
async function openSockets({ laptop }: ConnectLab): Promise<string[]> {
  const text = await laptop.output("ss", "-Hltnup");
  // the test's own programs have some too
  return text.split("\n")
    .filter((line) => line !== "" && !/\("(dnsmasq|dig)/.test(line))
    .map((line) => line.split(/\s+/)[4]!.replace(/%[^:\]]+/, ""));
}

/** Addresses of our device. */
async function ownAddresses({ laptop }: ConnectLab): Promise<string[]> {
  const { stdout } = await laptop.run(
    ["ip", "-o", "address", "show", "dev", "ktctl0"],
  );
  return [...stdout.matchAll(/inet6? ([\da-f.:]+)/g)].map(([, address = ""]) =>
    address.includes(":") ? `[${address}]:` : `${address}:`
  );
}

Deno.test({
  name:
    "no socket of connect and its helper is open beyond loopback and the device, but questions to a name server, at the address that leads there",
  ignore: obstacle !== undefined,
  async fn(t) {
    await using lab = await ConnectLab.open();
    const file = `${lab.laptop.folder}/etc/resolv.conf`;
    await Deno.writeTextFile(file, `nameserver ${OWN_IPV4}\n`);
    // it asks somebody who is not there, so that our question stays open
    await using _slow = await lab.laptop.serveNames(OWN_IPV4, {}, [
      "--server=/slow.example/198.51.100.9",
    ]);
    assert.deepEqual(await openSockets(lab), []);
    for (
      const { args, asks } of [
        { args: ["--mode", "tun2socks"], asks: true },
        { args: ["--mode", "sshuttle"], asks: true },
        { args: ["--mode", "sshuttle", "--dnsMode", "podDNS"], asks: false },
        { args: ["--dnsMode", "hosts"], asks: false },
        { args: ["--disableTunDevice"], asks: false },
      ]
    ) {
      await t.step(args.join(" "), async () => {
        await using connect = await lab.connect(...args);
        const device = await ownAddresses(lab);
        const isBeyond = (one: string) =>
          !LOOPBACK.test(one) && !QUESTION.test(one) &&
          !device.some((address) => one.startsWith(address));
        const look = async () => {
          const open = await openSockets(lab);
          const beyond = open.filter(isBeyond);
          if (beyond.length === 0) return open;
          // a socket that the kernel connects has a port before it has an address, for no longer than that
          const still = await openSockets(lab);
          assert.deepEqual(beyond.filter((one) => still.includes(one)), []);
          return open;
        };
        assert.ok((await look()).length > 0 || args.includes("hosts"));
        if (asks) {
          const asking = lab.dig("slow.example");
          await eventually(
            "a question is open",
            async () => (await look()).some((one) => QUESTION.test(one)),
          );
          await asking;
        }
        assert.equal((await connect.stop()).code, 0);
        assert.deepEqual(await openSockets(lab), []);
      });
    }
  },
});
