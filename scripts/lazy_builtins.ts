/**
 * Makes an ES module of the CommonJS text of `deno bundle`, which loads a built-in of Node when something
 * of it is first used. A bundle that is an ES module from the start imports all of them before anything
 * else: that takes longer than the rest of `ktctl --help`.
 */
export function lazyBuiltins(commonJs: string): string {
  const body = commonJs
    .replace(BUILTIN, "$1__builtin($2)")
    .replace(IMPORT_META, "$1import.meta;");
  return PRELUDE + body + MODULE_MARK;
}

/** What esbuild makes of our `import`, and of those of libraries that are ES modules. */
const BUILTIN =
  /^(\s*(?:var )?import_\w+ = )(?:__toESM\()?require\(("node:[^"]+")\)\)?;$/gm;
/** CommonJS has none: esbuild puts an empty object in its place, once a module. */
const IMPORT_META = /^(\s*(?:var )?import_meta\d* = )\{\};$/gm;
/** An ES module is known by an `import` or `export`. */
const MODULE_MARK = "\nexport {};\n";

/**
 * `require` is asked for built-ins alone: all else is in the bundle, but for ssh2's add-ons, which nobody
 * has. To ask Deno for them by `process` costs 30 ms once: node:events, which commander's classes are
 * made of, needs nothing else.
 */
const PRELUDE = `import __events from "node:events";
function require(name) {
  if (name === "node:events") return __events;
  const found = globalThis.process.getBuiltinModule(name);
  if (found === undefined) throw new Error("Cannot find module " + name);
  return found;
}
function __builtin(name) {
  let found;
  return new Proxy({}, {
    get(_target, key) {
      found ??= require(name);
      return key === "default" ? found : found[key];
    },
  });
}
`;
