/** What a plan has come to change: objects that are not, or are otherwise, on the server. */
import { isDeepStrictEqual } from "node:util";
import type {
  JsonPatchOperation,
  KubeObject,
  ObjectRef,
  Resource,
} from "../kube_api.ts";
import { isAskedFor, type ObjectQuery } from "./object_query.ts";
import { plainObject } from "./plain_object.ts";

/** One object that would be made, changed or deleted. As {@link plainObject} has it. */
export interface PlannedChange {
  readonly resource: Resource;
  readonly name: string;
  /** Of kinds that have one. */
  readonly namespace?: string;
  /** As it is now; left out where there is none. */
  readonly before?: KubeObject;
  /** As it would be; left out where it would be deleted. */
  readonly after?: KubeObject;
  /** It would be deleted, and another one made under its name. */
  readonly isReplaced?: boolean;
  /** Why the server was not asked about it, where it was not. */
  readonly unchecked?: string;
}

/** An object of the plan. */
export interface Entry {
  readonly resource: Resource;
  readonly name: string;
  readonly namespace: string | undefined;
  /** As the server has it; undefined where it has none. */
  readonly before: KubeObject | undefined;
  /** As it is in the plan; undefined once it is deleted. */
  after: KubeObject | undefined;
  /** The same of one that is made in the plan, as it is asked for. */
  made?: KubeObject;
  /** What makes the one of the other, where the server has it. */
  operations: JsonPatchOperation[];
  unchecked?: string;
  /** A controller makes it, and not who is planned for. */
  isImplied?: boolean;
}

export class PlannedObjects {
  readonly #namespace: string;
  readonly #entries = new Map<string, Entry>();

  /** @param namespace Of objects that name none. */
  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  find({ resource, name, namespace }: ObjectRef): Entry | undefined {
    return this.#entries.get(this.#key(resource, name, namespace));
  }

  /** In the place of what is known of that object. */
  set(
    entry: Omit<Entry, "namespace"> & {
      readonly namespace?: string | undefined;
    },
  ): Entry {
    const { resource, name, namespace } = entry;
    const whole = {
      ...entry,
      namespace: resource.namespaced ? namespace ?? this.#namespace : undefined,
    };
    this.#entries.set(this.#key(resource, name, namespace), whole);
    return whole;
  }

  /** Takes an object out, and what is in the plan because of it, as the garbage collector does. */
  remove(entry: Entry): void {
    const gone = entry.after?.metadata.uid;
    entry.after = undefined;
    if (gone === undefined) return;
    for (const other of this.#entries.values()) {
      const owners = other.after?.metadata.ownerReferences ?? [];
      if (other.before !== undefined || owners.length === 0) continue;
      if (!owners.every(({ uid }) => uid === gone || this.#isGone(uid))) {
        continue;
      }
      this.remove(other);
    }
  }

  #isGone(uid: string): boolean {
    return [...this.#entries.values()].some(({ before, made, after }) =>
      after === undefined && (made ?? before)?.metadata.uid === uid
    );
  }

  /** The list of the server with what the plan has changed of it. */
  merged<T extends KubeObject>(
    resource: Resource,
    found: readonly T[],
    query: ObjectQuery & { readonly namespace?: string },
  ): T[] {
    const { namespace = this.#namespace } = query;
    const own = [...this.#entries.values()].filter((entry) =>
      entry.resource.kind === resource.kind &&
      (!resource.namespaced || namespace === "" ||
        entry.namespace === namespace)
    );
    const untouched = found.filter(({ metadata }) =>
      !own.some((entry) =>
        entry.name === metadata.name &&
        (entry.namespace === undefined ||
          entry.namespace === (metadata.namespace ?? namespace))
      )
    );
    const planned = own.flatMap(({ after }) => after ?? [])
      .filter((object) => isAskedFor(object, query));
    return [...untouched, ...structuredClone(planned) as T[]];
  }

  /** Whether the plan makes an object that a text names. */
  makesOneNamedIn(text: string): boolean {
    return [...this.#entries.values()].some(({ made, name }) =>
      made !== undefined && text.includes(`"${name}"`)
    );
  }

  /** In the order in which they would be changed first; what ends as it was is not one. */
  changes(): PlannedChange[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const { before, after, made, isImplied, unchecked } = entry;
      const was = before && plainObject(before);
      const willBe = after && plainObject(made ?? after);
      if (isImplied || isDeepStrictEqual(was, willBe)) return [];
      const { resource, name, namespace } = entry;
      return [{
        ...{ resource, name },
        ...(namespace === undefined ? {} : { namespace }),
        ...(was && { before: was }),
        ...(willBe && { after: willBe }),
        ...(was && willBe && made && { isReplaced: true }),
        ...(unchecked !== undefined && willBe && { unchecked }),
      }];
    });
  }

  #key(resource: Resource, name: string, namespace?: string): string {
    const place = resource.namespaced ? namespace ?? this.#namespace : "";
    return `${resource.kind} ${place}/${name}`;
  }
}
