// Ctrl-C in a real terminal, through the programs that people start ktctl by: each of them gets the
// signal, and some pass it on as well.
import assert from "node:assert/strict";
import { openTestCluster } from "./cluster.ts";
import { assertNoTrace, eventually, Laptop, reaches } from "./laptop.ts";
import { Terminal } from "./terminal.ts";

const deno = JSON.stringify(Deno.execPath());
const startedBy = [
  { title: "deno task", command: `${deno} task --quiet ktctl` },
  { title: "deno run", command: `${deno} run -A main.ts` },
  // a shell with job control is what has a terminal as a rule; it passes the hang-up on
  {
    title: "an interactive shell and deno task",
    command: `bash --norc -ic '${deno} task --quiet ktctl "$@"; exit $?' bash`,
  },
];

for (const { title, command } of startedBy) {
  for (const end of ["Ctrl-C", "closing the terminal"] as const) {
    Deno.test({
      name:
        `${end} puts everything back when ktctl was started by ${title} in a terminal`,
      ignore: Deno.build.os !== "linux",
      async fn() {
        const cluster = await openTestCluster();
        await using namespace = await cluster.demo();
        const client = await namespace.client();
        await using laptop = await Laptop.open(cluster, namespace);
        const before = await namespace.snapshot();
        await using terminal = new Terminal(
          `${command} exchange web --expose ${laptop.demo.port}:80 -n ${namespace.name}`,
          {
            KUBECONFIG: cluster.kubeconfig,
            XDG_STATE_HOME: laptop.stateHome,
          },
        );
        await terminal.shows("Exchanging Service");
        await reaches(client);
        if (end === "Ctrl-C") {
          await terminal.pressCtrlC();
          assert.equal(await terminal.ended(), 0, terminal.screen);
          assert.match(terminal.screen, /Everything is restored/);
        } else {
          terminal.close();
          const isBack = () => laptop.journals().length === 0;
          await eventually("the journal is gone", isBack);
        }
        await assertNoTrace({ namespace, laptop, before });
        await reaches(client, { name: "web-" });
      },
    });
  }
}
