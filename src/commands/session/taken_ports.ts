import type { PortRoute } from "../../cluster/service/expose.ts";

/** A port of the Service and the local one that it leads to. */
export interface TakenPort {
  readonly port: number;
  readonly local: number;
}

export function takenPorts(routes: readonly PortRoute[]): TakenPort[] {
  return routes.flatMap(({ servicePort: { port }, local }) =>
    local === undefined ? [] : [{ port, local }]
  );
}

/** `port 80 → localhost:8080, …` */
export function portsText(ports: readonly TakenPort[]): string {
  return ports.map(({ port, local }) => `port ${port} → localhost:${local}`)
    .join(", ");
}
