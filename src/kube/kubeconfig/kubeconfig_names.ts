/** What the kubeconfigs of this user call things, whether or not one of them can be used. */
import * as v from "valibot";
import { readRegularFile } from "../../core/files/read_regular_file.ts";
import {
  kubeconfigPaths,
  type KubeconfigPlace,
  MAX_KUBECONFIG_BYTES,
} from "./kubeconfig_files.ts";

export interface KubeconfigName {
  readonly kind:
    | "cluster"
    | "context"
    | "kubeconfig user"
    | "namespace"
    | "server"
    | "server host";
  readonly text: string;
}

const text = v.fallback(v.optional(v.string()), undefined);
const context = v.object({ cluster: text, user: text, namespace: text });
const cluster = v.object({ server: text, "tls-server-name": text });
const user = v.object({ username: text, as: text });
const part = <T>(fields: v.GenericSchema<unknown, T>) =>
  v.fallback(v.optional(fields), undefined);
const list = <T>(entry: v.GenericSchema<unknown, T>) =>
  v.fallback(v.array(v.fallback(v.nullable(entry), null)), []);

/** What does not hold is passed over: it is told elsewhere. */
const kubeconfig = v.object({
  "current-context": text,
  contexts: list(v.object({ name: text, context: part(context) })),
  clusters: list(v.object({ name: text, cluster: part(cluster) })),
  users: list(v.object({ name: text, user: part(user) })),
});

/** Of all files, also of those that are torn. */
export async function kubeconfigNames(
  place: KubeconfigPlace,
): Promise<KubeconfigName[]> {
  const names = await Promise.all(kubeconfigPaths(place).map(namesIn));
  return names.flat();
}

async function namesIn(file: string): Promise<KubeconfigName[]> {
  const read = v.safeParse(kubeconfig, await looselyRead(file));
  if (!read.success) return [];
  const { contexts, clusters, users, ...rest } = read.output;
  const names: [KubeconfigName["kind"], string | undefined][] = [
    ["context", rest["current-context"]],
  ];
  for (const one of contexts) {
    names.push(
      ["context", one?.name],
      ["cluster", one?.context?.cluster],
      ["kubeconfig user", one?.context?.user],
      ["namespace", one?.context?.namespace],
    );
  }
  for (const one of clusters) {
    const server = one?.cluster?.server;
    names.push(
      ["cluster", one?.name],
      ["server", server?.replace(/\/+$/, "")],
      ["server host", server && URL.parse(server)?.hostname],
      ["server host", one?.cluster?.["tls-server-name"]],
    );
  }
  for (const one of users) {
    names.push(
      ["kubeconfig user", one?.name],
      ["kubeconfig user", one?.user?.username],
      ["kubeconfig user", one?.user?.as],
    );
  }
  return names.flatMap(([kind, text]) => text ? [{ kind, text }] : []);
}

/** What of a file can be understood; its faults are told where it is used. */
async function looselyRead(file: string): Promise<unknown> {
  // no pipe: it has been read before, and there is nothing more in it
  const read = await readRegularFile(file, { maxBytes: MAX_KUBECONFIG_BYTES });
  if (read.fault !== undefined) return undefined;
  const text = new TextDecoder().decode(read.bytes);
  const { parseDocument } = await import("yaml");
  try {
    return parseDocument(text, { logLevel: "silent" }).toJS();
  } catch {
    return undefined; // aliases that lead nowhere, or to gigabytes
  }
}
