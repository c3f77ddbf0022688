/**
 * Kills a process and all that it started, but for what has left it since. Where there is no `ps`, only
 * the process itself.
 */
export async function endProcessTree(root: number): Promise<void> {
  const pids = [root];
  try {
    const { stdout } = await new Deno.Command("ps", {
      args: ["-A", "-o", "pid=,ppid="],
      stderr: "null",
    }).output();
    const rows = new TextDecoder().decode(stdout).trim().split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number));
    // grows while it is read
    for (const parent of pids) {
      for (const [pid = 0, ppid] of rows) {
        if (ppid === parent) pids.push(pid);
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const pid of pids) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // it has ended
    }
  }
}
