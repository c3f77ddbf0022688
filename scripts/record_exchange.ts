/**
 * Records an exchange as its user sees it, as a picture: the real ktctl, in a real shell and terminal,
 * with the Service `web` of a real cluster. docs/exchange.svg is made by it:
 *
 *   KTCTL_RECORD_TO=docs/exchange.svg deno task test cluster record_exchange
 */
import { join } from "node:path";
import {
  succeeded,
  type TestCluster,
  type TestNamespace,
} from "../test/cluster/cluster.ts";
import { run } from "../test/cluster/command.ts";
import { eventually } from "../test/cluster/laptop.ts";
import { Terminal } from "../test/cluster/terminal.ts";
import { terminalScreen } from "./terminal_screen.ts";
import { terminalSvg } from "./terminal_svg.ts";

const COLUMNS = 84;

/** A shell whose user has installed ktctl; its own prompt would tell whose machine it is. */
const SHELL = `
unset NO_COLOR HISTFILE
stty cols ${COLUMNS} rows 24
bind "set enable-bracketed-paste off"
PS1="$ "
ktctl() { ${JSON.stringify(Deno.execPath())} run -A --quiet main.ts "$@"; }
`;

/**
 * @param options.namespace Has a Service `web` with port 80.
 * @param options.localPort Where a program of this machine listens.
 */
export async function recordExchange(
  { cluster, namespace, localPort, stateHome }: {
    cluster: TestCluster;
    namespace: TestNamespace;
    localPort: number;
    /** For ktctl's journals. */
    stateHome: string;
  },
): Promise<{ text: string; svg: string }> {
  const kubeconfig = join(stateHome, "kubeconfig");
  await Deno.copyFile(cluster.kubeconfig, kubeconfig);
  const use = ["config", "set-context", "--current", "--namespace"];
  const env = { KUBECONFIG: kubeconfig };
  succeeded(await run("kubectl", [...use, namespace.name], { env }));
  const rcfile = join(stateHome, "bashrc");
  await Deno.writeTextFile(rcfile, SHELL);
  const command = `bash --noprofile --rcfile '${rcfile}' -i`;
  await using terminal = new Terminal(command, {
    ...env,
    XDG_STATE_HOME: stateHome,
  });
  await terminal.shows("$ ");
  await terminal.type(`ktctl exchange web --expose ${localPort}:80\r`);
  await terminal.shows("Press Ctrl-C");
  await terminal.pressCtrlC();
  await terminal.shows("Everything is restored");
  const hasPrompt = () => terminal.screen.split("$ ").length > 2;
  await eventually("the prompt is there again", hasPrompt, 60_000);
  await terminal.type("exit\r");
  await terminal.ended();
  const lines = terminalScreen(shown(terminal.screen));
  const text = lines.map((line) => line.map((span) => span.text).join(""))
    .join("\n");
  const title = "ktctl exchange web, recorded in a terminal";
  return { text, svg: terminalSvg(lines, { title, columns: COLUMNS }) };
}

/** From the first prompt to the last one: neither what the shell says at its start nor its end. */
function shown(screen: string): string {
  return screen.slice(screen.indexOf("$ "), screen.lastIndexOf("$ "));
}
