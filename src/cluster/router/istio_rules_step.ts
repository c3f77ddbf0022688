/** Applies the service mesh rules of one developer, and takes them out again. */
import * as v from "valibot";
import { ConflictError, KtctlError, NotFoundError } from "../../core/errors.ts";
import type { Step } from "../../undo/step.ts";
import { annotation, ROUTER_STATE } from "../../kube/annotations.ts";
import type {
  JsonPatchOperation,
  KubeApi,
  KubeObject,
  ObjectRef,
} from "../../kube/kube_api.ts";
import { objectName } from "../../kube/object_syntax.ts";
import type { World } from "../../kube/world.ts";
import {
  destinationRule,
  isDevelopers,
  istioResource,
  markedRoute,
  markedSubset,
  rulesName,
  virtualService,
} from "./istio_rules.ts";
import { isMeshMark } from "./mesh_mark.ts";
import { updateObject } from "../object/update_object.ts";

export type IstioRulesArgs = v.InferOutput<typeof schema>;

const schema = v.object({
  namespace: objectName,
  service: objectName,
  mark: v.pipe(
    v.object({ key: v.string(), value: v.string() }),
    v.check(isMeshMark),
  ),
  original: v.exactOptional(v.string()),
  /** Of Istio's API. */
  version: v.pipe(v.string(), v.regex(/^v[a-z0-9]+$/)),
});

export const istioRulesStep: Step<IstioRulesArgs, undefined, void, World> = {
  id: "mesh.istio-rules",
  schema,
  describe: ({ service, mark }) =>
    `Istio's rules for "${mark.key}: ${mark.value}" of Service "${service}"`,
  undoCommand: ({ service, namespace }) =>
    `kubectl edit virtualservice,destinationrule ${
      rulesName(service)
    } -n ${namespace}`,
  async apply(args, _input, { kube }) {
    // the subset first: a route to one that is not there would fail
    for (const list of lists(args)) await add(kube, args, list);
  },
  async revert(args, { kube }, signal) {
    for (const list of lists(args).reverse()) {
      await remove(kube, args, { list, signal });
    }
  },
};

/** A list in an object: each developer has an entry in it. */
interface EntryList {
  readonly kind: "DestinationRule" | "VirtualService";
  readonly path: "/spec/subsets" | "/spec/http";
  readonly entry: { readonly name?: string };
  readonly whole: KubeObject;
}

function lists(args: IstioRulesArgs): EntryList[] {
  return [
    {
      kind: "DestinationRule",
      path: "/spec/subsets",
      entry: markedSubset(args),
      whole: destinationRule(args, args.version),
    },
    {
      kind: "VirtualService",
      path: "/spec/http",
      entry: markedRoute(args),
      whole: virtualService(args, args.version),
    },
  ];
}

function refOf(args: IstioRulesArgs, { kind }: EntryList): ObjectRef {
  return {
    resource: istioResource(kind, args.version),
    name: rulesName(args.service),
    namespace: args.namespace,
  };
}

function entriesOf(object: KubeObject, { path }: EntryList) {
  const entries: unknown = path === "/spec/http"
    ? object.spec?.http
    : object.spec?.subsets;
  if (!Array.isArray(entries)) return [];
  return entries.map((entry): { name?: string } => entry ?? {});
}

async function add(
  kube: KubeApi,
  args: IstioRulesArgs,
  list: EntryList,
): Promise<void> {
  const ref = refOf(args, list);
  for (;;) {
    const update = () =>
      updateObject(kube, ref, (object) => {
        refuseForeign(object);
        const others = entriesOf(object, list).filter(({ name }) =>
          name !== list.entry.name
        );
        const value = [list.entry, ...others];
        return [{ op: "add", path: list.path, value }];
      });
    const found = await update().catch((error) => {
      // the last developer has just left
      if (!(error instanceof NotFoundError)) throw error;
    });
    if (found !== undefined) return;
    try {
      await kube.create(ref.resource, list.whole);
      return;
    } catch (error) {
      // another developer was faster
      if (!(error instanceof KtctlError) || error.code !== "ALREADY_EXISTS") {
        throw error;
      }
    }
  }
}

async function remove(
  kube: KubeApi,
  args: IstioRulesArgs,
  { list, signal }: { list: EntryList; signal: AbortSignal },
): Promise<void> {
  const ref = refOf(args, list);
  for (;;) {
    const left = await updateObject(kube, ref, (object) => {
      if (annotation(object, ROUTER_STATE) === undefined) return undefined;
      const entries = entriesOf(object, list);
      const at = entries.findIndex(({ name }) => name === list.entry.name);
      if (at === -1) return undefined;
      return [
        {
          op: "remove",
          path: `${list.path}/${at}`,
        } satisfies JsonPatchOperation,
      ];
    }, { signal });
    if (
      left === undefined || annotation(left, ROUTER_STATE) === undefined ||
      entriesOf(left, list).some(isDevelopers)
    ) return;
    const { uid = "", resourceVersion = "" } = left.metadata;
    const options = { uid, resourceVersion, signal };
    if (await kube.delete(ref, options)) return;
    // it is gone, or another developer has just come
  }
}

function refuseForeign(object: KubeObject): void {
  if (annotation(object, ROUTER_STATE) !== undefined) return;
  const { name } = object.metadata;
  throw new ConflictError(
    "RULES_NAME_TAKEN",
    `Cannot apply rules: ${object.kind} "${name}" already exists, and ktctl did not make it`,
    { hint: "Merge the rules into it by hand." },
  );
}
