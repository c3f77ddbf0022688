/** The house rule about hints. Part of lint_plugin.ts. */
import { placeOf } from "./lint_imports.ts";

/** `hint`, `PORT_HINT`, `missingRuleHint`; `wayOut` is the hint of an error that is made elsewhere. */
const HINT = /hint$|^wayOut$/i;

/** Quotes and brackets may close behind the sentence. */
const SENTENCE_END = /[.!?…]["'`)]*$/;

/** A hint is a full sentence: it stands on a line of its own, and others are joined to it. */
export const hintSentences: Deno.lint.Rule = {
  create(context) {
    if (placeOf(context.filename).length === 0) return {};
    const check = (hint: Deno.lint.Node | null | undefined) => {
      for (const node of textsOf(hint)) {
        if (SENTENCE_END.test(endOf(node))) continue;
        context.report({
          node,
          message: "A hint is a full sentence, and ends with a period",
        });
      }
    };
    return {
      Property({ key, value }) {
        if (isHint(key)) check(value);
      },
      VariableDeclarator({ id, init }) {
        if (isHint(id)) check(init);
      },
      FunctionDeclaration({ id, body }) {
        if (!isHint(id)) return;
        for (const node of body?.body ?? []) {
          if (node.type === "ReturnStatement") check(node.argument);
        }
      },
    };
  },
};

function isHint(node: Deno.lint.Node | null | undefined): boolean {
  return node?.type === "Identifier" && HINT.test(node.name);
}

/** The texts that a hint may be; what is only known when it runs is none. */
function textsOf(
  node: Deno.lint.Node | null | undefined,
): (Deno.lint.StringLiteral | Deno.lint.TemplateLiteral)[] {
  switch (node?.type) {
    case "Literal":
      // not of a text that says there is none
      return typeof node.value === "string" && node.value !== "" ? [node] : [];
    case "TemplateLiteral": {
      if (endOf(node) !== "") return [node];
      const last = node.expressions.at(-1);
      // what a function gives is a name or a list
      return last?.type === "CallExpression" ? [node] : textsOf(last);
    }
    case "ConditionalExpression":
      return [node.consequent, node.alternate].flatMap(textsOf);
    case "LogicalExpression":
      return [node.left, node.right].flatMap(textsOf);
    default:
      return [];
  }
}

function endOf(
  node: Deno.lint.StringLiteral | Deno.lint.TemplateLiteral,
): string {
  return node.type === "Literal" ? node.value : node.quasis.at(-1)!.cooked;
}
