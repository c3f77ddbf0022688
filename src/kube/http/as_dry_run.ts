const DRY_RUN = "dryRun=All";

/**
 * The call as one that changes nothing: the server checks it, and answers as if it had carried it out. What
 * is only read stays as it is.
 */
export function asDryRun<
  C extends {
    readonly method?: string;
    readonly path: string;
    readonly body?: unknown;
  },
>(call: C): C {
  const { method = "GET", path, body } = call;
  if (method === "GET") return call;
  const [, query = ""] = path.split("?");
  const isAsked = query.split("&").includes(DRY_RUN);
  const asked = isAsked
    ? path
    : `${path}${path.includes("?") ? "&" : "?"}${DRY_RUN}`;
  if (method !== "DELETE") return { ...call, path: asked };
  // of a deletion with a body, the server reads no query
  return {
    ...call,
    path: asked,
    body: { ...(body as object | undefined), dryRun: ["All"] },
  };
}
