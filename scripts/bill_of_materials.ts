/** What ktctl is made of, as a CycloneDX list: the packages of `deno.lock`, with their checksums. */

/** The part of `deno.json` that is read. */
export interface Project {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly imports: Readonly<Record<string, string>>;
}

/** The part of `deno.lock` (version 5) that is read. */
export interface Lock {
  readonly version: string;
  /** `npm:ws@8.23.0` → the version in use, with its peers. */
  readonly specifiers: Readonly<Record<string, string>>;
  /** `ws@8.23.0` → what is locked. */
  readonly npm: Readonly<Record<string, LockedPackage>>;
}

interface LockedPackage {
  /** `sha512-` and base64. */
  readonly integrity: string;
  /** Names, with `@version` where there are several. */
  readonly dependencies?: readonly string[];
  readonly optionalDependencies?: readonly string[];
}

/** Describe or test what runs, and run nowhere themselves. */
const NOT_RUN = /^(?:@types\/|fast-check$|pure-rand$|undici-types$)/;

/** No serial number and no date in it: the same sources make the same bytes. */
export function billOfMaterials(project: Project, lock: Lock) {
  const graph = new PackageGraph(lock);
  const direct = Object.values(project.imports)
    .map((specifier) => graph.idOf(specifier));
  const run = graph.closure(direct.filter((id) => !NOT_RUN.test(nameOf(id))));
  const own = `pkg:generic/ktctl@${project.version}`;
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": own,
        name: "ktctl",
        version: project.version,
        licenses: [{ license: { id: project.license } }],
        purl: own,
      },
    },
    components: graph.ids.map((id) => ({
      type: "library",
      "bom-ref": purlOf(id),
      name: nameOf(id),
      version: versionOf(id),
      scope: run.has(id) ? "required" : "excluded",
      hashes: [hashOf(lock.npm[id]!.integrity)],
      purl: purlOf(id),
    })),
    dependencies: [
      { ref: own, dependsOn: direct.map(purlOf).toSorted() },
      ...graph.ids.map((id) => ({
        ref: purlOf(id),
        dependsOn: graph.dependencies(id).map(purlOf).toSorted(),
      })),
    ],
  };
}

/** Who needs whom, by the ids of the lock. */
class PackageGraph {
  readonly ids: readonly string[];
  readonly #lock: Lock;

  constructor(lock: Lock) {
    this.#lock = lock;
    this.ids = Object.keys(lock.npm);
  }

  /** @param specifier `npm:ws@8.23.0` */
  idOf(specifier: string): string {
    const version = this.#lock.specifiers[specifier];
    return `${nameOf(specifier.replace(/^npm:/, ""))}@${version}`;
  }

  dependencies(id: string): string[] {
    const { dependencies = [], optionalDependencies = [] } =
      this.#lock.npm[id] ?? {};
    return [...dependencies, ...optionalDependencies]
      .map((named) => this.#find(named));
  }

  closure(roots: readonly string[]): Set<string> {
    const found = new Set<string>();
    const left = [...roots];
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      if (found.has(id) || NOT_RUN.test(nameOf(id))) continue;
      found.add(id);
      left.push(...this.dependencies(id));
    }
    return found;
  }

  /** The lock names a dependency without its version where only one is there. */
  #find(named: string): string {
    if (named in this.#lock.npm) return named;
    const name = nameOf(named);
    const [id] = this.ids.filter((id) => nameOf(id) === name);
    return id ?? named;
  }
}

/** `@scope/name@1.0.0_peer@2.0.0` → `@scope/name` */
function nameOf(id: string): string {
  return id.replace(/(?<=.)@.*$/, "");
}

function versionOf(id: string): string {
  return id.slice(nameOf(id).length + 1).split("_")[0]!;
}

function purlOf(id: string): string {
  return `pkg:npm/${nameOf(id).replace("@", "%40")}@${versionOf(id)}`;
}

function hashOf(integrity: string) {
  const content = Uint8Array.fromBase64(integrity.replace(/^sha512-/, ""));
  return { alg: "SHA-512", content: content.toHex() };
}
