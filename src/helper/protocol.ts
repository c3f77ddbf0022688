/**
 * What client and root helper say to each other: one JSON object a line. The helper takes what it
 * reads for hostile: only names of its table, arguments only by their operation's schema.
 */
import * as v from "valibot";
import { messageOf, UsageError } from "../core/errors.ts";
import { type WireError, wireErrorSchema } from "./wire_error.ts";

/** A longer line breaks the protocol. Names for the hosts file are the longest: whoever sends them leaves out what is more. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024;

/** In answers: of no request, as what was read was none. */
export const NO_REQUEST = 0;

const requestId = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(Number.MAX_SAFE_INTEGER),
);

const openSchema = v.strictObject({
  /** Counts up: never used before. */
  id: requestId,
  open: v.pipe(v.string(), v.maxLength(100)),
  args: v.unknown(),
});

const closeSchema = v.strictObject({
  id: requestId,
  /** The id of what was opened. */
  close: requestId,
});

const requestSchema = v.union([openSchema, closeSchema]);

export type OpenRequest = v.InferOutput<typeof openSchema>;
/** Client to helper. */
export type HelperRequest = v.InferOutput<typeof requestSchema>;

const answerId = v.pipe(v.number(), v.integer(), v.minValue(NO_REQUEST));
const texts = v.array(v.string());

const answerSchema = v.union([
  v.strictObject({
    hello: v.strictObject({
      version: v.string(),
      pid: v.number(),
      /** What dead helpers had left and this one took back. */
      swept: texts,
      /** What they had left and nobody could take back, with the command to do it by hand. */
      left: texts,
    }),
  }),
  v.strictObject({ id: answerId, ok: v.unknown() }),
  /** After an `ok` of the same id: what was open broke on its own. */
  v.strictObject({ id: answerId, error: wireErrorSchema }),
  v.strictObject({ id: answerId, event: v.unknown() }),
  /** The last word. With an error: what could not be taken back, or why nothing was begun. */
  v.strictObject({
    bye: v.strictObject({ error: v.nullable(wireErrorSchema) }),
  }),
]);

/** Helper to client. */
export type HelperAnswer = v.InferOutput<typeof answerSchema>;
export type Hello = Extract<HelperAnswer, { hello: unknown }>["hello"];
export type { WireError };

/** @throws {UsageError} `HELPER_PROTOCOL`. */
export function parseRequest(line: Uint8Array): HelperRequest {
  return parse(requestSchema, line, "request");
}

/** @throws {UsageError} `HELPER_PROTOCOL`. */
export function parseAnswer(line: Uint8Array): HelperAnswer {
  return parse(answerSchema, line, "answer");
}

/** One line, with its end. */
export function encodeLine(message: HelperRequest | HelperAnswer): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(message)}\n`);
}

/** Either side has not kept to the protocol. */
export function protocolError(reason: string): UsageError {
  return new UsageError(
    "HELPER_PROTOCOL",
    `Cannot understand the other side of the root helper: ${reason}`,
    { hint: "Client and helper are one program: was it replaced meanwhile?" },
  );
}

function parse<T>(
  schema: v.GenericSchema<unknown, T>,
  line: Uint8Array,
  what: string,
): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch (error) {
    throw protocolError(`not JSON: ${messageOf(error)}`);
  }
  const { success, output } = v.safeParse(schema, value);
  if (!success) throw protocolError(`no ${what}`);
  return output;
}
