// Debian packages that tests of this group need.
import { run } from "../cluster/command.ts";

/**
 * Installs what is missing, where apt is.
 * @returns Why it cannot, for the test's name; undefined where all is there.
 */
export async function obstacleWithout(
  programs: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return "needs Linux";
  if (Deno.uid() !== 0) return "needs root";
  const missing = async () => {
    const found = await Promise.all(
      Object.keys(programs).map(async (name) => {
        const { code } = await run("sh", ["-c", `command -v ${name}`]);
        return code === 0 ? undefined : name;
      }),
    );
    return found.filter((name) => name !== undefined);
  };
  const before = await missing();
  if (before.length === 0) return undefined;
  const script = new URL("../cluster/apt.sh", import.meta.url).pathname;
  const packages = before.map((name) => programs[name]!);
  await run("bash", ["-c", `. "$0"; apt_install "$@"`, script, ...packages])
    .catch(() => {}); // no bash, no apt: told below
  const after = await missing();
  return after.length === 0 ? undefined : `needs ${after.join(", ")}`;
}
