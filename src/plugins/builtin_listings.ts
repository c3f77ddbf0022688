import { ROUTER_IMAGE } from "../cluster/pod/pod_options.ts";
import type { PluginListing } from "./plugin_listing.ts";

/** What help and flags need to know of the plugins that ktctl brings along: their code is not loaded for that. */
export const BUILTIN_LISTINGS = {
  selector: {
    kind: "routing",
    name: "selector",
    summary:
      "switch the Service's selector to the Shadow Pod (any workload, its pods stay)",
    verbs: ["exchange"],
  },
  scale: {
    kind: "routing",
    name: "scale",
    summary: "scale the Deployment down and answer in its place",
    verbs: ["exchange"],
    flags: [{
      name: "keepReplicas",
      value: "count",
      summary:
        "how many replicas to keep, which answer while the laptop does not; 0: none, and the Service stays as it is (default: 1)",
    }],
  },
  routerPod: {
    kind: "routing",
    name: "router-pod",
    aliases: ["auto"],
    summary:
      "a Router Pod (haproxy) sends requests with the marked header here",
    verbs: ["mesh"],
    flags: [{
      name: "routerImage",
      value: "image",
      summary:
        `image of the Router Pod: any with haproxy 2.6 or newer (default: "${ROUTER_IMAGE}")`,
    }],
  },
  istio: {
    kind: "routing",
    name: "istio",
    aliases: ["manual"],
    summary:
      "a Shadow Pod with the original pods' labels and the mark, for rules of a service mesh",
    verbs: ["mesh"],
    flags: [
      {
        name: "emitRules",
        value: "form",
        isValueOptional: true,
        summary:
          "print the rules that send the marked header here, for istio (default) or gateway",
      },
      {
        name: "applyRules",
        summary: "apply Istio's rules, and take them out again at the end",
      },
    ],
  },
  service: {
    kind: "routing",
    name: "service",
    summary: "a new Service leads to the Shadow Pod",
    verbs: ["preview"],
    flags: [{
      name: "external",
      summary: "request a load balancer with an address outside the cluster",
    }],
  },
  tun2socks: {
    kind: "transport",
    name: "tun2socks",
    summary: "a network device (Linux, macOS, Windows), and a SOCKS5 proxy",
    flags: [
      {
        name: "disableTunDevice",
        summary: "only the SOCKS5 proxy: no device, no names, no root",
      },
      {
        name: "disableTunRoute",
        summary: "make the device, and leave the routes to it to you",
      },
      {
        name: "proxyPort",
        value: "port",
        summary: "port of the SOCKS5 proxy (default: 2223)",
      },
      {
        name: "proxyAddr",
        value: "address",
        summary:
          "address at which the SOCKS5 proxy listens, with --disableTunDevice (default: 127.0.0.1)",
      },
    ],
  },
  sshuttle: {
    kind: "transport",
    name: "sshuttle",
    summary:
      "redirect by nftables or iptables (Linux) or pf (macOS), no device",
  },
} as const satisfies Record<string, PluginListing>;
