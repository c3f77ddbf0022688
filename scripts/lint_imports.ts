/** House rules about what may import what. Part of lint_plugin.ts. */

/** Folders of `src` by layer: a file imports its own layer and those to the right of it. */
const LAYERS: readonly (readonly string[])[] = [
  ["cli"],
  ["commands"],
  ["plugins"],
  ["cluster", "helper"],
  ["kube", "net"],
  ["link"],
  ["undo"],
  ["core"],
];

/**
 * Rooms of a folder in the same order. A file beside them, in none, may import all of them, and none of
 * them may import it.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  cluster: [
    ...[
      "doctor",
      "overview",
      "restore",
      "clean",
      "share",
      "shadow",
      "router",
      "takeover",
      "forward",
      "discovery",
    ],
    ...["pod", "service", "scale", "keeper", "object", "rights"],
  ],
  link: ["client", "ssh", "yamux", "tls", "dns", "wire"],
};

/** Too slow to load before they are needed: they come by `await import()`. */
const LAZY_PACKAGES = /^(@kubernetes\/client-node|ssh2|ws)(\/|$)/;

/** The project's folder: the checkout itself may stand below a folder `src`. */
const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** The folder and file of a path below `src`, e.g. `["kube", "watch.ts"]`; `[]` elsewhere. */
export function placeOf(filename: string): string[] {
  const path = filename.replaceAll("\\", "/");
  const at = path.indexOf(ROOT);
  const inside = at === -1 ? path : path.slice(at + ROOT.length);
  const [first, ...rest] = inside.split("/");
  return first === "src" ? rest : [];
}

function layerOf(folder: string | undefined): number {
  return LAYERS.findIndex((layer) => layer.includes(folder ?? ""));
}

/** Whether a file at `from` may import the one at `to`. */
function mayImport(from: readonly string[], to: readonly string[]): boolean {
  const [folder = "", room = "", file] = to;
  const [ownFolder = "", ownRoom = ""] = from;
  if (to.length === 0) return true;
  const isAgents = (place: readonly string[]) =>
    place[0] === "link" && place[1] === "agent";
  if (isAgents(from)) {
    return isAgents(to) || folder === "core" ||
      (folder === "link" && room !== "client");
  }
  if (isAgents(to)) {
    // the contract between the two, and the program itself for its bundle
    return file === "agent_config.ts" && layerOf(ownFolder) < layerOf("link");
  }
  if (folder === ownFolder) {
    const order = ROOMS[folder] ?? [];
    const own = order.indexOf(ownRoom);
    return own === -1 || (order.includes(room) && own <= order.indexOf(room));
  }
  // formats of flags are the command line's own, and commands declare flags
  if (ownFolder === "commands" && folder === "cli") {
    return room === "flag_values.ts";
  }
  // a folder that is not in the list has no right until somebody gives it its place
  return layerOf(ownFolder) !== -1 && layerOf(ownFolder) <= layerOf(folder);
}

/** The place below `src` that an import of `filename` leads to; `undefined` for anything else. */
function targetOf(filename: string, specifier: string): string[] | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const from = `file:///src/${placeOf(filename).join("/")}`;
  const [root, ...to] = new URL(specifier, from).pathname.slice(1).split("/");
  return root === "src" ? to : undefined;
}

export const importDirection: Deno.lint.Rule = {
  create(context) {
    const from = placeOf(context.filename);
    const check = (node: Deno.lint.Node, source: Deno.lint.Node | null) => {
      if (source?.type !== "Literal" || typeof source.value !== "string") {
        return;
      }
      const to = targetOf(context.filename, source.value);
      if (from.length === 0 || to === undefined) return;
      if (mayImport(from, to)) return;
      context.report({
        node,
        message: `src/${from.join("/")} must not import src/${to.join("/")}`,
        hint: "See the order of layers in ARCHITECTURE.md",
      });
    };
    return {
      ImportDeclaration: (node) => check(node, node.source),
      ImportExpression: (node) => check(node, node.source),
      ExportNamedDeclaration: (node) => check(node, node.source),
      ExportAllDeclaration: (node) => check(node, node.source),
    };
  },
};

/** Authors of plugins import it: it must bring nothing along. */
export const typesOnly: Deno.lint.Rule = {
  create(context) {
    const isTypes = placeOf(context.filename).join("/") === "plugins/plugin.ts";
    return {
      ImportDeclaration(node) {
        if (!isTypes || node.importKind === "type") return;
        context.report({
          node,
          message: `"${node.source.value}" is imported for more than its types`,
          hint: "Use `import type`",
        });
      },
    };
  },
};

export const lazyPackages: Deno.lint.Rule = {
  create(context) {
    const isProduct = placeOf(context.filename).length > 0;
    return {
      ImportDeclaration(node) {
        if (!isProduct || node.importKind === "type") return;
        if (!LAZY_PACKAGES.test(node.source.value)) return;
        context.report({
          node,
          message: `"${node.source.value}" is slow to load`,
          hint: "Use `import type`, and `await import()` where it is needed",
        });
      },
    };
  },
};
