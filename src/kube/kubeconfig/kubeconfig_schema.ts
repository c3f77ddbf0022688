/** What stands in a kubeconfig, by type. As in kubectl, unknown fields are passed over, and null is as absent. */
import * as v from "valibot";

/** valibot takes a list for an object. */
function map<S extends v.GenericSchema<Record<string, unknown>, unknown>>(
  schema: S,
) {
  return v.pipe(v.custom<Record<string, unknown>>(isMap), schema);
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = v.nullish(v.string());
/** Becomes a header's value. */
const headerText = v.pipe(
  v.string(),
  v.regex(/^[\t\x20-\x7e\x80-\xff]*$/, "has to be without line breaks"),
);
const flag = v.nullish(v.boolean());
const webAddress = (pattern: RegExp, form: string) =>
  v.pipe(
    v.string(),
    v.check(
      (value) => value === "" || (pattern.test(value) && URL.canParse(value)),
      `has to be a URL (${form})`,
    ),
  );

const cluster = map(v.looseObject({
  server: v.nullish(webAddress(/^https?:\/\//i, "https://…")),
  "certificate-authority": text,
  "certificate-authority-data": text,
  "tls-server-name": text,
  "insecure-skip-tls-verify": flag,
  "proxy-url": v.nullish(webAddress(/^[a-z0-9]+:\/\//, "http://…, socks5://…")),
  extensions: v.nullish(v.array(v.looseObject({ name: v.string() }))),
}));

const exec = map(v.looseObject({
  apiVersion: text,
  command: v.pipe(v.string(), v.nonEmpty("has to name a program")),
  args: v.nullish(v.array(v.string())),
  env: v.nullish(
    v.array(v.looseObject({ name: v.string(), value: v.string() })),
  ),
  installHint: text,
  provideClusterInfo: flag,
  interactiveMode: v.nullish(
    v.picklist(
      ["Never", "IfAvailable", "Always"],
      "has to be Never, IfAvailable or Always",
    ),
  ),
}));

const user = map(v.looseObject({
  "client-certificate": text,
  "client-certificate-data": text,
  "client-key": text,
  "client-key-data": text,
  token: v.nullish(headerText),
  tokenFile: text,
  username: text,
  password: text,
  as: v.nullish(headerText),
  "as-uid": v.nullish(headerText),
  "as-groups": v.nullish(v.array(headerText)),
  "as-user-extra": v.nullish(map(v.record(v.string(), v.array(headerText)))),
  exec: v.nullish(exec),
  "auth-provider": v.nullish(map(v.looseObject({
    name: v.string(),
    config: v.nullish(map(v.record(v.string(), v.string()))),
  }))),
}));

const context = map(
  v.looseObject({ cluster: text, user: text, namespace: text }),
);

const LISTS = {
  clusters: { item: "cluster", schema: cluster },
  users: { item: "user", schema: user },
  contexts: { item: "context", schema: context },
} as const;

/** What is wrong with a kubeconfig, with entry and field; never with the value, which may be a secret. */
export function kubeconfigFault(config: unknown): string | undefined {
  if (!isMap(config)) {
    return "it does not hold a kubeconfig";
  }
  if (!v.is(text, config["current-context"])) {
    return `"current-context" ${
      wrongType("string", config["current-context"])
    }`;
  }
  for (const [list, { item, schema }] of Object.entries(LISTS)) {
    const entries = config[list] ?? [];
    if (!v.is(v.array(v.looseObject({ name: v.string() })), entries)) {
      return `"${list}" is not a list of named entries`;
    }
    const names = new Set<string>();
    for (const entry of entries) {
      const place = `${item} "${entry.name}"`;
      if (names.has(entry.name)) return `there are two entries for ${place}`;
      names.add(entry.name);
      const result = v.safeParse(schema, entry[item] ?? {}, {
        abortEarly: true,
      });
      if (!result.success) return `${place}: ${issueText(result.issues[0])}`;
    }
  }
  return undefined;
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  const what = issue.kind === "validation" || issue.type === "picklist"
    ? issue.message
    : wrongType(expectedText(issue.expected), issue.input);
  return path === null ? `it ${what}` : `"${path}" ${what}`;
}

function expectedText(expected: string | null): string {
  const type = /string|boolean|Array/.exec(expected ?? "")?.[0];
  return type === "Array" ? "list" : type ?? "map";
}

function wrongType(wanted: string, value: unknown): string {
  if (value === null || value === undefined) return "is missing";
  const found = Array.isArray(value)
    ? "a list"
    : typeof value === "object"
    ? "a map"
    : `a ${typeof value}`;
  const advice = wanted === "string" && /number|boolean/.test(found)
    ? ": put it in quotes."
    : "";
  return `has to be a ${wanted}, but is ${found}${advice}`;
}
