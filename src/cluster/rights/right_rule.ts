/** What one rule of a Role grants, and what for. */

/** In the order in which rules name them. */
export const RIGHT_VERBS = [
  "get",
  "list",
  "watch",
  "create",
  "patch",
  "delete",
] as const;

export type RightVerb = typeof RIGHT_VERBS[number];

export interface RightRule {
  /** `""` for the core group. */
  readonly group: string;
  /** As in a rule: `pods`, `pods/proxy`. */
  readonly resources: readonly string[];
  /** @default all */
  readonly names?: readonly string[];
  readonly verbs: readonly RightVerb[];
  /** What for, on one line. Of a rule that can be left out it says when. */
  readonly comment: string;
  /** Without it the command works, but for what the comment says. */
  readonly optional?: true;
  /** Needed only where one of these is used; others need it not. @default always */
  readonly onlyFor?: readonly Use[];
  /** Not needed where one of these is used. */
  readonly notFor?: readonly Use[];
  /** The same need met in another way: of the rules that have it, any one is enough. The first is the better one. */
  readonly way?: "link";
}

/** What a command may be used with, as its flags and arguments have it, and what that is. */
export const USES = {
  "mode=selector": "exchange by the selector of the Service",
  "mode=scale": "exchange by the replicas of the Deployment",
  "mode=auto": "mesh by a Router Pod",
  "mode=manual": "mesh by the rules of a service mesh",
  "deploy": "a Deployment as the target",
  "pod": "a Pod as the target of forward",
  "host:port": "any address as the target of forward",
  "useShadowDeployment": "a Deployment in place of the Shadow Pod",
  "restoreAfter": "the Shadow Pod takes everything back by itself",
  "applyRules": "the rules of the service mesh are applied",
  "shareShadow": "connect by a Shadow Pod that several share",
  "disableTunDevice": "connect by a SOCKS5 proxy alone",
  "dnsMode=hosts": "connect with names in the hosts file",
  "ingressIp": "connect with the hosts of Ingresses",
} as const;

export type Use = keyof typeof USES;
