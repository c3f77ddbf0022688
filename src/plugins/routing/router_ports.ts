/** The ports of a router, for those of its Service. */
import type { KubeObject } from "../../kube/kube_api.ts";
import { affinityPorts } from "../../cluster/service/affinity_ports.ts";
import type { PodPort } from "../../cluster/shadow/pod_ports.ts";
import type { RouterPort } from "../../cluster/router/router_state.ts";

/** Of `appProtocol`; any other is not, or not in plain text. */
const HTTP_PROTOCOLS = [
  ...["http", "http2", "grpc", "grpc-web"],
  ...["kubernetes.io/h2c", "kubernetes.io/ws"],
];
/** As Istio reads the names of a Service's ports: https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/ */
const HTTP_NAME = /^(http|http2|grpc|grpc-web)(-|$)/;

interface NamedPort {
  readonly name?: string;
  readonly port: number;
  readonly targetPort?: number | string;
  readonly appProtocol?: string;
}

export function routerPorts(
  service: KubeObject,
  podPorts: readonly PodPort[],
): RouterPort[] {
  const affinity = affinityPorts(service);
  const ports: NamedPort[] = service.spec?.ports ?? [];
  return podPorts.map(({ name, port, servicePort }) => ({
    name,
    port,
    servicePort,
    ...(affinity.has(servicePort)
      ? { affinity: affinity.get(servicePort)! }
      : {}),
    ...(isHttp(ports, servicePort) ? { isHttp: true as const } : {}),
  }));
}

/** Whether the Service says so of all its ports that lead to the same one of a pod. */
function isHttp(ports: readonly NamedPort[], servicePort: number): boolean {
  const target = ({ port, targetPort = port }: NamedPort) => targetPort;
  const own = ports.find(({ port }) => port === servicePort);
  return own !== undefined &&
    ports.filter((one) => target(one) === target(own)).every(
      ({ name = "", appProtocol }) =>
        appProtocol === undefined
          ? HTTP_NAME.test(name)
          : HTTP_PROTOCOLS.includes(appProtocol.toLowerCase()),
    );
}
