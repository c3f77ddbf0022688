/** A real systemd-resolved in a namespace, out of Debian's package, which is not installed. */
import { run } from "../cluster/command.ts";
import { type DnsNamespace, firstLine, UPSTREAM } from "./dns_namespace.ts";

/** Unpacks the package into a folder; a reason if that does not go. */
export async function unpackResolved(
  folder: string,
): Promise<string | undefined> {
  for (const program of ["apt-get", "dbus-daemon", "dpkg-deb"]) {
    const { code } = await run("sh", ["-c", `command -v ${program}`]);
    if (code !== 0) return `needs ${program}`;
  }
  const script =
    `cd "$1" && apt-get -qq download systemd-resolved && dpkg-deb -x systemd-resolved_*.deb . &&
     ./lib/systemd/systemd-resolved --version`;
  const { code, stderr } = await run("sh", ["-c", script, "sh", folder]);
  return code === 0 ? undefined : `systemd-resolved: ${stderr.trim()}`;
}

/** Puts it in charge of the namespace's names, with a link `kt0` for ours. */
export class SystemdResolved implements AsyncDisposable {
  #processes: Deno.ChildProcess[] = [];

  static async start(
    space: DnsNamespace,
    folder: string,
    { security = "DNSSEC=no" }: { security?: string } = {},
  ): Promise<SystemdResolved> {
    const it = new SystemdResolved();
    const etc = `${space.folder}/etc`;
    const add = (name: string, line: string) =>
      Deno.writeTextFile(`${etc}/${name}`, line, { append: true });
    await add("passwd", "systemd-resolve:x:991:991::/:/usr/sbin/nologin\n");
    await add("group", "systemd-resolve:x:991:\n");
    await Deno.mkdir(`${etc}/dbus-1/system.d`, { recursive: true });
    const policy = "dbus-1/system.d/org.freedesktop.resolve1.conf";
    await Deno.copyFile(`${folder}/usr/share/${policy}`, `${etc}/${policy}`);
    await Deno.mkdir(`${etc}/systemd`, { recursive: true });
    await Deno.writeTextFile(
      `${etc}/systemd/resolved.conf`,
      `[Resolve]\nDNS=${UPSTREAM}\nFallbackDNS=\n${security}\nLLMNR=no\n`,
    );
    await Deno.remove(`${etc}/resolv.conf`);
    await Deno.symlink(
      "../run/systemd/resolve/stub-resolv.conf",
      `${etc}/resolv.conf`,
    );
    await space.output(
      "sh",
      "-c",
      `set -e
       mount -t tmpfs tmpfs /run
       mkdir -p /run/dbus /run/systemd/resolve
       chown 991:991 /run/systemd/resolve
       ip link add kt0 type veth peer name kt0-far
       ip address add 10.199.0.1/32 dev kt0
       ip link set kt0 up
       ip link set kt0-far up`,
    );
    const bus = space.spawn("dbus-daemon", [
      "--system",
      "--nopidfile",
      "--nofork",
      "--print-address",
    ], { stdout: "piped", stderr: "null" });
    it.#processes.push(bus);
    await firstLine(bus.stdout); // its address, when it listens
    await bus.stdout.cancel();
    it.#processes.push(
      space.spawn(`${folder}/lib/systemd/systemd-resolved`, [], {
        stderr: "null",
      }),
    );
    // it tells of its readiness to a supervisor alone
    await space.output(
      "timeout",
      "20",
      "sh",
      "-c",
      "until resolvectl status kt0 >/dev/null 2>&1; do sleep 0.05; done",
    );
    return it;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes.reverse()) {
      process.kill("SIGKILL");
      await process.status;
    }
  }
}
