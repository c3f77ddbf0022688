import type { AgentConfig } from "../../link/agent/agent_config.ts";
import { randomLetters } from "../../core/random_name.ts";
import { ROLE, TARGET } from "../../kube/annotations.ts";
import { agentConfig } from "./pod_ports.ts";
import type { ShadowSpec } from "./shadow_objects.ts";
import type { PodOptions } from "../pod/pod_options.ts";

export interface ConnectShadowOptions {
  readonly namespace: string;
  readonly session: string;
  readonly user: string;
  readonly pod: PodOptions;
}

/** A Shadow Pod that exposes no port: a foothold in the cluster. Named as the original's. */
export function connectShadow(options: ConnectShadowOptions): ShadowSpec {
  const agent: AgentConfig = agentConfig([], { ready: "always" });
  return {
    ...options,
    name: "kt-connect-shadow",
    labels: { [ROLE]: "shadow-connect", [TARGET]: randomLetters(20) },
    config: "",
    ports: [],
    agent,
    unprivilegedPortStart: false,
  };
}
