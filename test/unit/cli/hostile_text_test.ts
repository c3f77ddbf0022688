// What a server says to steer the user's terminal, through the whole program.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { FakeApiServer, refusal } from "../kube/fake_api_server.ts";
import { TempFolder } from "../kube/temp_folder.ts";

const main = fileURLToPath(new URL("ktctl_here.ts", import.meta.url));
const EVIL = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202eno";

for (const output of ["human", "json"]) {
  Deno.test(`a server cannot steer the terminal by its refusal (--output ${output})`, async () => {
    await using folder = await TempFolder.make();
    await using server = await FakeApiServer.start([
      refusal(500, { message: EVIL }),
    ]);
    const kubeconfig = await folder.write("config", {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "it",
      clusters: [{ name: "it", cluster: { server: server.url } }],
      contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
      users: [{ name: "it", user: {} }],
    });
    const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", main, "/nonexistent"].concat(
        ["recover", "web", "--kubeconfig", kubeconfig, "--output", output],
      ),
      env: { FORCE_COLOR: "0", NO_COLOR: "1" },
    }).output();
    const text = new TextDecoder().decode(stdout) +
      new TextDecoder().decode(stderr);
    assert.equal(code, 5, text);
    assert.match(text, /owned/);
    // deno-lint-ignore no-control-regex -- they are what it is about
    assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]/);
  });
}
