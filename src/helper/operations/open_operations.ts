import * as v from "valibot";
import { CleanupError, KtctlError, UsageError } from "../../core/errors.ts";
import type { Scope } from "../../undo/scope.ts";
import type { AnswerWriter } from "../answer_writer.ts";
import type { Machine } from "./operation.ts";
import type { AnyOperation } from "./operations.ts";
import type { HelperRequest, OpenRequest } from "../protocol.ts";
import { toWireError } from "../wire_error.ts";

export interface OpenOperationsOptions {
  readonly scope: Scope<Machine>;
  readonly operations: readonly AnyOperation[];
  readonly answers: AnswerWriter;
}

/** What a client has open, each in a scope of its own. */
export class OpenOperations {
  readonly #options: OpenOperationsOptions;
  readonly #scopes = new Map<number, Scope<Machine>>();

  constructor(options: OpenOperationsOptions) {
    this.#options = options;
  }

  /** Does what is asked for and answers. Never throws; resolves when the answer is written. */
  async handle(request: HelperRequest): Promise<void> {
    const { answers } = this.#options;
    const { id } = request;
    try {
      const ok = "open" in request
        ? await this.#open(request)
        : await this.#close(request.close);
      await answers.send({ id, ok: ok ?? null });
    } catch (error) {
      await answers.send({ id, error: toWireError(error) });
    }
  }

  async #open({ id, open: name, args }: OpenRequest): Promise<unknown> {
    const { operations, answers } = this.#options;
    const operation = operations.find((one) => one.name === name);
    if (operation === undefined) {
      throw new UsageError(
        "OPERATION_UNKNOWN",
        `The root helper has no operation "${name}"`,
        { hint: "Client and helper are one program: was it replaced?" },
      );
    }
    const { success, output, issues } = v.safeParse(operation.args, args);
    if (!success) {
      throw new UsageError(
        "OPERATION_REFUSED",
        `The root helper refuses the arguments of "${name}"`,
        { details: issues.slice(0, 5).map(issueText) },
      );
    }
    const scope = this.#options.scope.child(`${name} ${id}`);
    try {
      const result = await operation.apply(
        output,
        scope,
        (event) => void answers.send({ id, event }),
      );
      this.#scopes.set(id, scope);
      // after the answer, which is under way when this comes
      scope.failed.catch((error) =>
        answers.send({ id, error: toWireError(error) })
      );
      return result;
    } catch (error) {
      throw await takenBack(scope, error);
    }
  }

  async #close(id: number): Promise<null> {
    const scope = this.#scopes.get(id);
    if (scope === undefined) {
      throw new UsageError("OPERATION_NOT_OPEN", `Nothing is open as ${id}`);
    }
    await scope.dispose(); // what fails stays, for another close and for the end
    this.#scopes.delete(id);
    return null;
  }
}

/** The error of an operation, after what it did until then was taken back; with what is left of it. */
async function takenBack(
  scope: Scope<Machine>,
  error: unknown,
): Promise<unknown> {
  try {
    await scope.dispose();
    return error;
  } catch (cleanup) {
    if (!(cleanup instanceof CleanupError)) return error;
    const why = error instanceof KtctlError ? [error.message] : [];
    return new CleanupError(cleanup.code, cleanup.message, {
      details: [...why, ...cleanup.details],
      ...(cleanup.hint !== undefined && { hint: cleanup.hint }),
      cause: error,
    });
  }
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path === null ? issue.message : `${path}: ${issue.message}`;
}
