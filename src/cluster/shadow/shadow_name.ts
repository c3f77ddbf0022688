import { fittedName } from "../../kube/fitted_name.ts";

/** A Deployment's leaves room for what is added to it for its ReplicaSet and its pods, up to 253. */
const MAX_LENGTH = 220;

/** The name of a Shadow Pod: a fixed one, or the part to which random letters are added. */
export function shadowName(
  verb: string,
  { name, namePrefix }: {
    readonly name?: string | undefined;
    readonly namePrefix: string;
  },
): string {
  // as the original has them
  const suffix = verb === "preview" ? "-kt" : `-kt-${verb}`;
  return name ?? fittedName(namePrefix, suffix, MAX_LENGTH);
}
