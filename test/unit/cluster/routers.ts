// A router that nobody has joined yet, as its record tells of it.
import type { RouterState } from "../../../src/cluster/router/router_state.ts";

export const EMPTY_ROUTER: RouterState = {
  namespace: "test",
  service: "web",
  podName: "web-kt-router",
  podTarget: "AbC",
  origin: "10.0.0.1",
  ports: [{ name: "kt-80", port: 80, servicePort: 80 }],
  statusPort: 9900,
  runtimePort: 9901,
  lowPorts: false,
  participants: [],
};
