import { run, succeeded } from "../cluster/command.ts";

/** A copy of /etc in which names are found in `hosts`, which knows localhost alone, and by DNS. */
export async function makeEtc(
  etc: string,
  resolvConf: string,
): Promise<void> {
  succeeded(await run("cp", ["-a", "/etc", etc]));
  await Deno.remove(`${etc}/resolv.conf`);
  await Deno.writeTextFile(`${etc}/resolv.conf`, resolvConf);
  await Deno.writeTextFile(`${etc}/nsswitch.conf`, "hosts: files dns\n");
  await Deno.writeTextFile(`${etc}/hosts`, "127.0.0.1 localhost\n");
}
