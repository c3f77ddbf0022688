import { ConflictError } from "../../core/errors.ts";
import type { KubeObject } from "../../kube/kube_api.ts";
import { type ServicePort, servicePorts } from "./expose.ts";

/**
 * A pod of ours listens where the Service's ports led when it was made: on any other port nobody answers.
 * Throws `ConflictError` (`SERVICE_PORTS_CHANGED`) where they are not `planned` any more.
 */
export function refuseChangedPorts(
  service: KubeObject,
  planned: readonly ServicePort[],
): void {
  const changes = portChanges(planned, servicePorts(service));
  if (changes.length === 0) return;
  throw new ConflictError(
    "SERVICE_PORTS_CHANGED",
    `Somebody changed the ports of Service "${service.metadata.name}", and this session was made for those of before: ${
      changes.join(", ")
    }`,
    { hint: "Run the command again, for the ports as they are now." },
  );
}

/** In words; their order says nothing. */
export function portChanges(
  before: readonly ServicePort[],
  after: readonly ServicePort[],
): string[] {
  const old = new Map(before.map((port) => [nameOf(port), port]));
  const now = new Map(after.map((port) => [nameOf(port), port]));
  return [
    ...[...old].flatMap(([name, port]) => {
      const other = now.get(name);
      return other === undefined
        ? [`${name} is gone`]
        : fieldChanges(port, other).map((change) => `${name} ${change}`);
    }),
    ...[...now.keys()].filter((name) => !old.has(name))
      .map((name) => `${name} is new`),
  ];
}

function fieldChanges(before: ServicePort, after: ServicePort): string[] {
  return [
    ...(before.targetPort === after.targetPort ? [] : [
      `leads to ${after.targetPort} in place of ${before.targetPort}`,
    ]),
    ...(before.name === after.name ? [] : [
      `is called "${after.name ?? ""}" in place of "${before.name ?? ""}"`,
    ]),
  ];
}

/** What no two ports of a Service have in common. */
function nameOf({ port, protocol }: ServicePort): string {
  return `port ${port}${protocol === "TCP" ? "" : `/${protocol}`}`;
}
