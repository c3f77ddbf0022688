/**
 * The legacy auth-provider `oidc`: the kubeconfig's id token while it holds, then one that the
 * issuer gives for the refresh token. client-node's own needs the whole of client-node and undici,
 * half of all that ktctl would carry, and asks the issuer anew for every request.
 */
import type { Configuration, DiscoveryRequestOptions } from "openid-client";
import type { RequestOptions } from "node:https";
import { PermissionError } from "../../core/errors.ts";
import { pem } from "./pem.ts";
import type { KubeUser } from "../kubeconfig/kube_target.ts";

/** A token that ends so soon is not used any more. */
const SPARE_SECONDS = 10;
/**
 * The provider is asked anew after so long: on a laptop that wakes up, the way there may come about only
 * after the first question was lost. The refresh token is not sent twice, as it may count once only.
 */
const DISCOVERY_SECONDS = 3;
const DISCOVERIES = 5;
const GRANT_SECONDS = 30;

export class OidcAuthenticator {
  async applyAuthentication(
    user: KubeUser,
    options: RequestOptions,
  ): Promise<void> {
    const config = user.authProvider?.config ?? {};
    if (expiryOf(config["id-token"]) < Date.now() / 1000 + SPARE_SECONDS) {
      await refresh(config);
    }
    options.headers = {
      ...options.headers as Record<string, string>,
      Authorization: `Bearer ${config["id-token"]}`,
    };
  }
}

/** Writes the new tokens into `config`: issuers may take a refresh token only once. */
async function refresh(config: Record<string, string>): Promise<void> {
  const { "idp-issuer-url": issuer, "client-id": clientId } = config;
  const refreshToken = config["refresh-token"];
  if (!issuer || !clientId || !refreshToken) {
    throw new PermissionError(
      "CREDENTIAL_PLUGIN_FAILED",
      "Cannot sign in to the cluster: the kubeconfig's id token has expired, and it lacks what is needed for a new one (idp-issuer-url, client-id, refresh-token)",
      { hint: "Sign in again with the tool that wrote the id token." },
    );
  }
  const oidc = await import("openid-client");
  const ca = await pem(
    config["idp-certificate-authority-data"],
    config["idp-certificate-authority"],
    "certificate authority of the identity provider",
  );
  // of its own, as a connection of before may be dead
  using client = Deno.createHttpClient(
    ca === undefined ? {} : {
      caCerts: [ca],
    },
  );
  const options: DiscoveryRequestOptions = {
    timeout: DISCOVERY_SECONDS,
    [oidc.customFetch]: (url, init) =>
      fetch(url, { ...init as RequestInit, client }),
  };
  const secret = config["client-secret"] || undefined;
  const server = await discover(() =>
    oidc.discovery(new URL(issuer), clientId, secret, undefined, options)
  );
  server.timeout = GRANT_SECONDS;
  const answer = await oidc.refreshTokenGrant(server, refreshToken);
  if (answer.id_token === undefined) {
    throw new PermissionError(
      "CREDENTIAL_PLUGIN_FAILED",
      `Cannot sign in to the cluster: "${issuer}" answered without an id token`,
    );
  }
  config["id-token"] = answer.id_token;
  if (answer.refresh_token) config["refresh-token"] = answer.refresh_token;
}

async function discover(
  ask: () => Promise<Configuration>,
): Promise<Configuration> {
  for (let left = DISCOVERIES - 1;; left--) {
    try {
      return await ask();
    } catch (error) {
      const isLate = (error as { code?: unknown }).code === "OAUTH_TIMEOUT";
      if (!isLate || left === 0) throw error;
    }
  }
}

/** In unix seconds; 0 of what is no token with an end. */
function expiryOf(token: string | undefined): number {
  const [, payload] = token?.split(".") ?? [];
  if (payload === undefined) return 0;
  try {
    const bytes = Uint8Array.fromBase64(payload, { alphabet: "base64url" });
    const { exp } = JSON.parse(new TextDecoder().decode(bytes));
    return typeof exp === "number" ? exp : 0;
  } catch (error) {
    if (error instanceof SyntaxError) return 0;
    throw error;
  }
}
