/** One context, resolved. */
export interface KubeTarget {
  readonly context: string;
  readonly namespace: string;
  readonly cluster: KubeCluster;
  readonly user: KubeUser;
}

export interface KubeTargetOptions {
  /** `--kubeconfig`: one file that must exist. */
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
  readonly namespace?: string | undefined;
  /** The environment: `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** How to reach the API server. Paths are absolute. */
export interface KubeCluster {
  readonly name: string;
  /** URL without a trailing slash; may have a path. */
  readonly server: string;
  readonly caFile?: string;
  /** PEM in base64. */
  readonly caData?: string;
  readonly tlsServerName?: string;
  readonly skipTlsVerify: boolean;
  readonly proxyUrl?: string;
  /** The `client.authentication.k8s.io/exec` extension, handed to credential plugins. */
  readonly execConfig?: unknown;
}

/** A credential plugin as the kubeconfig describes it. */
export interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly env?: readonly { name: string; value: string }[];
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
  readonly interactiveMode?: "Never" | "IfAvailable" | "Always";
}

/** Who we are to the API server. Paths are absolute. */
export interface KubeUser {
  readonly name: string;
  readonly certFile?: string;
  readonly certData?: string;
  readonly keyFile?: string;
  readonly keyData?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly exec?: ExecPlugin;
  readonly authProvider?: { name: string; config?: Record<string, string> };
  /** `Impersonate-*` headers. */
  readonly impersonation: Readonly<Record<string, string | string[]>>;
}
