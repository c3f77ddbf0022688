import assert from "node:assert/strict";

/** Takes all the files that there are, and then asks who may come. */
const PROGRAM = `
  const { BridgeSenders } = await import(Deno.args[0]);
  const senders = new BridgeSenders([]);
  const before = senders.has("127.0.0.1");
  const files = [];
  try {
    for (;;) files.push(Deno.openSync("/dev/null"));
  } catch { /* there are no more */ }
  const without = senders.has("127.0.0.1");
  files.pop().close();
  console.log(JSON.stringify([before, without, senders.has("127.0.0.1")]));
`;

Deno.test({
  name:
    "without a file left to look at this machine's addresses nobody is let in, and nothing ends by it",
  ignore: Deno.build.os === "windows", // which has no such limit
  async fn() {
    const module = new URL(
      "../../../../src/net/bridges/bridge_senders.ts",
      import.meta.url,
    );
    const { stdout } = await new Deno.Command("/bin/sh", {
      args: [
        "-c",
        'ulimit -n 64 && exec "$0" eval --quiet "$1" "$2"',
        Deno.execPath(),
        PROGRAM,
        module.href,
      ],
    }).output();
    assert.equal(new TextDecoder().decode(stdout), "[true,false,true]\n");
  },
});
