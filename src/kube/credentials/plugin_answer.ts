/** What a credential plugin writes, an ExecCredential, before it is used. */
import * as v from "valibot";

const secret = v.nullish(
  v.pipe(v.string(), v.regex(/^[\x20-\x7e]*$/, "has line breaks in it")),
);
const pem = v.nullish(
  v.pipe(v.string(), v.includes("-----BEGIN ", "is no PEM")),
);

const answer = v.looseObject({
  kind: v.literal("ExecCredential"),
  apiVersion: v.nullish(v.string()),
  status: v.looseObject({
    token: secret,
    clientCertificateData: pem,
    clientKeyData: pem,
    expirationTimestamp: v.nullish(
      v.pipe(
        v.string(),
        v.check((text) => !Number.isNaN(Date.parse(text)), "is no date"),
      ),
    ),
  }),
});

/**
 * Why the answer cannot be used; never what stands in it, which is secret. Without a token and without
 * a certificate the requests would be anonymous.
 */
export function pluginAnswerFault(
  value: unknown,
  apiVersion: string | undefined,
): string | undefined {
  const result = v.safeParse(answer, value, { abortEarly: true });
  if (!result.success) {
    const [issue] = result.issues;
    const path = v.getDotPath(issue);
    if (path === null || path === "kind") {
      return "its answer is not an ExecCredential";
    }
    return issue.kind === "validation"
      ? `"${path}" of its answer ${issue.message}`
      : issue.input === undefined || issue.input === null
      ? `its answer has no "${path}"`
      : `"${path}" of its answer is of the wrong type`;
  }
  const { status, apiVersion: answered } = result.output;
  if (apiVersion && answered && answered !== apiVersion) {
    return `its answer is of "${
      answered.slice(0, 80)
    }", and the kubeconfig wants "${apiVersion}"`;
  }
  const { token, clientCertificateData: cert, clientKeyData: key } = status;
  if (!cert !== !key) {
    return `its answer has ${
      cert ? "a certificate without its key" : "a key without its certificate"
    }`;
  }
  return token || cert
    ? undefined
    : "its answer has neither a token nor a certificate";
}
