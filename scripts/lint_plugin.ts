/**
 * House rules that can be checked. `deno lint` runs them; test/unit/lint_plugin_test.ts proves them.
 */
import { hintSentences } from "./lint_hints.ts";
import {
  importDirection,
  lazyPackages,
  placeOf,
  typesOnly,
} from "./lint_imports.ts";

const BUILT_IN_ERRORS = new Set([
  "AggregateError",
  "DOMException",
  "Error",
  "EvalError",
  "RangeError",
  "ReferenceError",
  "SyntaxError",
  "TypeError",
  "URIError",
]);

/** Beside an object of options, which comes last. */
const MAX_PARAMETERS = 3;

const ownErrors: Deno.lint.Rule = {
  create(context) {
    const isProduct = placeOf(context.filename).length > 0;
    return {
      ThrowStatement(node) {
        const { argument } = node;
        if (
          !isProduct ||
          (argument.type !== "NewExpression" &&
            argument.type !== "CallExpression") ||
          argument.callee.type !== "Identifier"
        ) return;
        const { name } = argument.callee;
        if (!BUILT_IN_ERRORS.has(name)) return;
        context.report({
          node,
          message: `A thrown ${name} tells the user nothing to do`,
          hint: "Throw a class of src/core/errors.ts",
        });
      },
    };
  },
};

/** What only one file may use. */
const RESERVED: Readonly<Record<string, { files: RegExp; hint: string }>> = {
  "Deno.exit": {
    files: /(^|\/)main\.ts$|src\/link\/agent\/agent\.ts$/,
    hint: "Throw: src/cli/run.ts maps errors to exit codes",
  },
  "Deno.Command": {
    files: /src\/core\/exec\.ts$/,
    hint: "Use exec() of src/core/exec.ts",
  },
};

/** Deno's own API gives a program no open file for its output. */
const START_DETACHED = /src\/commands\/background\/start_detached\.ts$/;

const reservedCalls: Deno.lint.Rule = {
  create(context) {
    const file = context.filename.replaceAll("\\", "/");
    const isProduct = placeOf(file).length > 0 ||
      /\/(main|mod)\.ts$/.test(file);
    return {
      ImportDeclaration(node) {
        if (!isProduct || node.importKind === "type") return;
        if (!/^(node:)?child_process$/.test(node.source.value)) return;
        if (START_DETACHED.test(file)) return;
        context.report({
          node,
          message: "Programs are started in one place, which is not this file",
          hint: "Use exec() of src/core/exec.ts",
        });
      },
      MemberExpression(node) {
        if (!isProduct || node.object.type !== "Identifier") return;
        if (node.property.type !== "Identifier") return;
        const name = `${node.object.name}.${node.property.name}`;
        if (node.object.name === "console") {
          context.report({
            node,
            message: `"${name}" bypasses the form of output asked for`,
            hint: "Use the report (src/core/report.ts)",
          });
        }
        const rule = Object.hasOwn(RESERVED, name) ? RESERVED[name] : undefined;
        if (rule === undefined || rule.files.test(file)) return;
        context.report({
          node,
          message: `"${name}" has one place, which is not this file`,
          hint: rule.hint,
        });
      },
    };
  },
};

/** Message argument by class: `new XError(code, message, …)`. */
const errorMessages: Deno.lint.Rule = {
  create(context) {
    const isProduct = placeOf(context.filename).length > 0;
    return {
      NewExpression(node) {
        if (!isProduct || node.callee.type !== "Identifier") return;
        if (!node.callee.name.endsWith("Error")) return;
        const message = textOf(node.arguments[1]);
        if (message === undefined) return;
        if (/^[a-z]/.test(message.start)) {
          context.report({ node, message: "An error starts with a capital" });
        }
        if (/(^|[^.])\.$/.test(message.end)) {
          context.report({ node, message: "An error has no final period" });
        }
      },
    };
  },
};

/** How a string or template starts and ends, as far as that is literal. */
function textOf(
  node: Deno.lint.Node | undefined,
): { start: string; end: string } | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") {
    return { start: node.value, end: node.value };
  }
  if (node?.type !== "TemplateLiteral") return undefined;
  const first = node.quasis[0]?.raw ?? "";
  const last = node.quasis.at(-1)?.raw ?? "";
  return { start: first, end: last };
}

const fewParameters: Deno.lint.Rule = {
  create(context) {
    const isProduct = placeOf(context.filename).length > 0;
    return {
      "ExportNamedDeclaration > FunctionDeclaration"(
        node: Deno.lint.FunctionDeclaration,
      ) {
        if (!isProduct) return;
        const last = node.params.at(-1);
        const count = node.params.length - (isOptions(last) ? 1 : 0);
        if (count <= MAX_PARAMETERS) return;
        context.report({
          node,
          message: `${node.id?.name} takes ${count} parameters by position`,
          hint:
            `Take ${MAX_PARAMETERS} at most, and the rest in an object "options"`,
        });
      },
    };
  },
};

/** `options`, `options = {}` or `{ … }`. */
function isOptions(parameter: Deno.lint.Parameter | undefined): boolean {
  const target = parameter?.type === "AssignmentPattern"
    ? parameter.left
    : parameter;
  return target?.type === "ObjectPattern" ||
    (target?.type === "Identifier" && target.name === "options");
}

/** Bundlers turn what stands at the top of a module into assignments, which dispose nothing. */
const noUsingAtTop: Deno.lint.Rule = {
  create(context) {
    const isProduct = placeOf(context.filename).length > 0;
    return {
      "Program > VariableDeclaration"(node: Deno.lint.VariableDeclaration) {
        if (!isProduct || !node.kind.endsWith("using")) return;
        context.report({
          node,
          message: `"${node.kind}" at the top of a module is lost in a bundle`,
          hint: "Put it into a function or a block",
        });
      },
    };
  },
};

const HOST = /^(host|hostname|address|ip|ipAddress)$/i;

/** An IPv6 address needs brackets in front of a port. */
const joinedHostPort: Deno.lint.Rule = {
  create(context) {
    const file = context.filename.replaceAll("\\", "/");
    const isProduct = placeOf(file).length > 0 &&
      !file.endsWith("/core/host_port.ts");
    return {
      TemplateLiteral(node) {
        if (!isProduct) return;
        const joins = node.expressions.some((host, index) =>
          HOST.test(lastName(host) ?? "") &&
          /^:(\d|$)/.test(node.quasis[index + 1]!.cooked)
        );
        if (!joins) return;
        context.report({
          node,
          message: "Host and port are joined in one place, which is not this",
          hint: "Use hostPort() of src/core/host_port.ts",
        });
      },
    };
  },
};

/** `host` of `host` and of `target.host`. */
function lastName(node: Deno.lint.Expression): string | undefined {
  if (node.type === "Identifier") return node.name;
  return node.type === "MemberExpression" &&
      node.property.type === "Identifier"
    ? node.property.name
    : undefined;
}

const plugin: Deno.lint.Plugin = {
  name: "ktctl",
  rules: {
    "import-direction": importDirection,
    "types-only": typesOnly,
    "lazy-packages": lazyPackages,
    "own-errors": ownErrors,
    "reserved-calls": reservedCalls,
    "error-messages": errorMessages,
    "hint-sentences": hintSentences,
    "few-parameters": fewParameters,
    "no-using-at-top": noUsingAtTop,
    "joined-host-port": joinedHostPort,
  },
};
export default plugin;
