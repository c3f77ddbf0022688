/**
 * `deno task compile [--target NAME | --all | --portable] [FILE]`: one file that needs nothing
 * installed.
 *
 * With `deno compile` where its base binary `denort` can be had (`DENORT_BIN`, Deno's cache or the
 * network): for this machine, for the named one, or for all five that Deno knows. With `--portable` a
 * POSIX shell script that carries the bundle and the Deno executable, and unpacks them once into the
 * user's cache.
 */
import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { UnsupportedError, UsageError } from "../src/core/errors.ts";
import { VERSION } from "../src/core/version.ts";
import {
  denortObstacle,
  isProgramFor,
  type Target,
  TARGETS,
} from "./denort.ts";
import { makePortable } from "./make_portable.ts";
import { mustRun } from "./must_run.ts";
import { tellMade, writeChecksums } from "./release_files.ts";
import { runRelease } from "./run_release.ts";

const dist = fileURLToPath(new URL("../dist", import.meta.url));
const { values: flags, positionals } = parseArgs({
  options: {
    target: { type: "string" },
    all: { type: "boolean", default: false },
    portable: { type: "boolean", default: false },
  },
  allowPositionals: true,
});

await runRelease(async () => {
  const wanted = wantedTargets();
  if (!flags.portable) await refuseWithoutDenort(wanted);
  await mustRun(Deno.execPath(), ["run", "-A", "scripts/bundle.ts"]);
  const made: Record<string, string> = {};
  for (const target of wanted) {
    const file = resolve(positionals[0] ?? `${dist}/${fileName(target)}`);
    if (flags.portable) await makePortable(`${dist}/ktctl.js`, file);
    else await compile(target, file);
    made[relative(dist, file)] = "needs nothing installed";
  }
  await writeChecksums(dist);
  await tellMade(dist, made);
});

function wantedTargets(): readonly Target[] {
  const { target, all, portable } = flags;
  if ([target !== undefined, all, portable].filter(Boolean).length > 1) {
    throw new UsageError(
      "FLAGS_CONFLICT",
      "Cannot go with more than one of --target, --all and --portable",
    );
  }
  if (all && (positionals.length > 0 || Deno.env.get("DENORT_BIN"))) {
    throw new UsageError(
      "FLAGS_CONFLICT",
      "Cannot make all targets of one DENORT_BIN, or into one file",
    );
  }
  if (all) return TARGETS;
  const name = target ?? Deno.build.target;
  const known = TARGETS.find((one) => one === name);
  if (known !== undefined) return [known];
  throw new UsageError("TARGET_UNKNOWN", `Cannot compile for "${name}"`, {
    hint: `Known are ${TARGETS.join(", ")}`,
  });
}

/** `ktctl` for this machine, else with the machine's name. */
function fileName(target: Target): string {
  const isNamed = flags.all || flags.target !== undefined;
  const name = isNamed ? `ktctl-${target}` : "ktctl";
  return target.includes("windows") ? `${name}.exe` : name;
}

/** Before anything is made, for all of them at once. */
async function refuseWithoutDenort(targets: readonly Target[]): Promise<void> {
  const info = await mustRun(Deno.execPath(), ["info", "--json"]);
  const { denoDir } = JSON.parse(info);
  const reasons = await Promise.all(
    targets.map((target) => denortObstacle(target, { denoDir })),
  );
  const details = reasons.filter((reason) => reason !== undefined);
  if (details.length === 0) return;
  throw new UnsupportedError(
    "DENORT_MISSING",
    "Cannot compile: the base binary denort of deno compile is not here",
    {
      details,
      hint:
        `Name a denort ${Deno.version.deno} in DENORT_BIN, or use --portable`,
    },
  );
}

async function compile(target: Target, output: string): Promise<void> {
  // deno compile does not overwrite what it did not make
  await Deno.remove(output).catch(() => {});
  const options = ["--allow-all", "--no-check", "--quiet", "--target", target];
  const args = ["compile", ...options, "--output", output, "dist/ktctl.js"];
  await mustRun(Deno.execPath(), args);
  const said = await faultOf(target, output);
  if (said === undefined) return;
  await Deno.remove(output);
  throw new UnsupportedError(
    "DENORT_INVALID",
    "Cannot compile: what was made does not run ktctl",
    {
      details: [said],
      hint:
        "Name a denort in DENORT_BIN (not a deno, of this Deno's version and for that machine), or use --portable",
    },
  );
}

/** A whole Deno named in `DENORT_BIN` makes a file as well, which then is Deno and not ktctl. */
async function faultOf(
  target: Target,
  output: string,
): Promise<string | undefined> {
  using file = await Deno.open(output);
  const start = new Uint8Array(64);
  await file.read(start);
  if (!isProgramFor(target, start)) return `It is no program for ${target}`;
  if (target !== Deno.build.target) return undefined; // runs elsewhere
  const version = (await mustRun(output, ["--version"])).trim();
  return version === VERSION
    ? undefined
    : `Its --version says: ${version.split("\n")[0]}`;
}
