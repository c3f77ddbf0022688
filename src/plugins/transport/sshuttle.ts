/**
 * Captures connections with the firewall's redirect: no device and no SOCKS proxy. Works on Linux;
 * on macOS it is not verified. The name is that of the program which the original ktctl ran for it;
 * this one does it by itself.
 */
import { isIP } from "node:net";
import type { LinkError } from "../../core/errors.ts";
import { SYSTEM, systemName } from "../../core/system.ts";
import type { Destination } from "../../net/capture/original_destination.ts";
import { Cidr } from "../../net/cidr.ts";
import { hasRoute } from "../../net/capture/has_route.ts";
import { PfDestinations } from "../../net/capture/pf_destinations.ts";
import type { PfQuery } from "../../net/capture/pf_natlook.ts";
import { openTransparentListener } from "../../net/capture/transparent_listener.ts";
import type { RedirectArgs } from "../../net/capture/redirect_args.ts";
import { REDIRECT_METHODS_BY_SYSTEM } from "../../net/capture/redirect_methods.ts";
import { BUILTIN_LISTINGS } from "../builtin_listings.ts";
import {
  definePlugin,
  type RootHelper,
  type Transport,
  type TransportContext,
  type TransportPlugin,
} from "../plugin.ts";

const plugin: TransportPlugin<undefined> = {
  ...BUILTIN_LISTINGS.sshuttle,
  apiVersion: 1,
  steps: [],
  needs: () => ({ dns: "transport", captures: true }),
  async probe({ root, cidrs = [], bridges }) {
    if (REDIRECT_METHODS_BY_SYSTEM[SYSTEM] === undefined) {
      return {
        ok: false,
        reason: `it is written for Linux and macOS, not for ${systemName()}`,
        hint: "Use --mode tun2socks, or ktctl forward.",
      };
    }
    if (!hasRoute(cidrs)) {
      return {
        ok: false,
        reason:
          "this machine has no route to the cluster's addresses, not even a default route, so that there is nothing to redirect",
        hint: "Use --mode tun2socks, which brings routes of its own.",
      };
    }
    await (await root?.open("redirect.probe", {
      ...bridges && { forwarded: true },
    }))?.close();
    return { ok: true };
  },
  async open(context) {
    const { link, scope, root, log, dns, bridges } = context;
    const told = new Set<string>();
    const servers = dns?.servers ?? [];
    tellPassedBy(context, told, servers);
    tellUnrouted(context, told, context.cidrs);
    // ends before the rules do: its resets would not reach the applications without them
    const listener = scope.use(
      await openTransparentListener({
        link,
        ...bridges && { bridges },
        ...SYSTEM === "darwin" && {
          destinations: new PfDestinations((query) => askHelper(root, query)),
        },
        onRefused: (to, error) => tellOnce(context, told, { to, error }),
      }),
      "listener",
    );
    const args = (cidrs: readonly string[], servers: readonly string[]) =>
      redirectArgs(context, { cidrs, servers, listener });
    const { result } = await root.open(
      "redirect.open",
      args(context.cidrs, servers),
    );
    log.debug(`redirected by ${result.method}`);
    return {
      details: { method: result.method },
      update: async (cidrs, servers) => {
        tellPassedBy(context, told, servers);
        tellUnrouted(context, told, cidrs);
        const updated = await root.open("redirect.update", {
          method: result.method,
          redirect: args(cidrs, servers),
        });
        await updated.close();
      },
    } satisfies Transport;
  },
};

function redirectArgs(
  { session, dns, bridges }: TransportContext<undefined>,
  { cidrs, servers, listener }: {
    cidrs: readonly string[];
    servers: readonly string[];
    listener: { port: number; hasIpv6: boolean };
  },
): RedirectArgs {
  return {
    session,
    cidrs: cidrs.filter((cidr) => listener.hasIpv6 || !cidr.includes(":")),
    exclude: [],
    port: listener.port,
    ...(bridges && {
      forwarded: {
        bridges: [...bridges],
        nameServers: [...dns?.bridgeAddresses ?? []],
      },
    }),
    ...(dns && {
      dns: {
        servers: servers.filter(isRedirectable),
        port: dns.port,
        ownSourcePorts: { ...dns.ownSourcePorts },
      },
    }),
  };
}

/** A rule knows an address, but not the link that some are on (`fe80::1%en0`), nor another port. */
function isRedirectable(server: string): boolean {
  return isIP(server) !== 0 && !server.includes("%");
}

function tellPassedBy(
  { log }: TransportContext<undefined>,
  told: Set<string>,
  servers: readonly string[],
): void {
  const passedBy = servers.filter((one) => !isRedirectable(one));
  const text = passedBy.join(", ");
  if (passedBy.length === 0 || told.has(text)) return;
  told.add(text);
  log.warn(
    "NAME_SERVER_PASSED_BY",
    `Whoever asks the name server ${text} does not get the cluster's names: its queries cannot be redirected`,
  );
}

/** A machine without any IPv6 is a common one: of a cluster of both families it reaches the one. */
function tellUnrouted(
  { log }: TransportContext<undefined>,
  told: Set<string>,
  cidrs: readonly string[],
): void {
  for (const family of [4, 6] as const) {
    const ranges = cidrs.filter((cidr) => Cidr.parse(cidr).family === family);
    const code = `IPV${family}_NOT_CAPTURED`;
    if (told.has(code) || hasRoute(ranges)) continue;
    told.add(code);
    log.warn(
      code,
      `The cluster's IPv${family} addresses are not reached: this machine has no route to them, not even a default route, so that there is nothing to redirect; --mode tun2socks brings routes of its own`,
    );
  }
}

/** macOS tells root alone where a connection wanted to go. */
async function askHelper(
  root: RootHelper,
  query: PfQuery,
): Promise<Destination | undefined> {
  const answer = await root.open(
    "redirect.destination",
    query,
  );
  answer.close().catch(() => {}); // the helper has ended
  return answer.result ?? undefined;
}

/** What the cluster refuses is the application's to tell; that nothing gets through is ours. */
function tellOnce(
  { log }: TransportContext<undefined>,
  told: Set<string>,
  { to, error }: {
    to: { host: string; port: number } | undefined;
    error: LinkError;
  },
): void {
  const where = to === undefined ? "" : ` to ${to.host} port ${to.port}`;
  const text = `Connection${where}: ${error.message}`;
  if (error.code === "LINK_DOWN" && !told.has(error.code)) {
    told.add(error.code);
    log.warn(error.code, text);
  } else log.debug(text);
}

export default definePlugin(plugin);
