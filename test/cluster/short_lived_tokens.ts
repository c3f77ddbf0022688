// Tokens of an account that end after seconds, signed as the cluster signs its own, and renewed on the
// disk as a login tool does it. The cluster gives none for less than ten minutes.
import { createPrivateKey, sign } from "node:crypto";
import { dirname, join } from "node:path";
import { succeeded, type TestCluster, type TestNamespace } from "./cluster.ts";

export interface TokenOwner {
  readonly cluster: TestCluster;
  readonly namespace: TestNamespace;
  /** The service account that they are for. */
  readonly account: string;
}

/** The API server goes on to take a token for so long after its end. */
const LEEWAY_SECONDS = 60;

type Sign = (seconds: number) => { token: string; endsAt: Date };

export class ShortLivedTokens implements Disposable {
  /** Has the token itself. */
  readonly tokenFile: string;
  /** A credential plugin: says the token, and when it ends. */
  readonly plugin: string;
  readonly #answerFile: string;
  readonly #sign: Sign;
  readonly #lifeSeconds: number;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(
    folder: string,
    sign: Sign,
    lifeSeconds: number,
  ) {
    this.tokenFile = join(folder, "token");
    this.plugin = join(folder, "login.sh");
    this.#answerFile = join(folder, "answer.json");
    this.#sign = sign;
    this.#lifeSeconds = lifeSeconds;
    Deno.writeTextFileSync(
      this.plugin,
      `#!/bin/sh\ncat ${this.#answerFile}\n`,
      { mode: 0o700 },
    );
    this.#renew();
    this.#timer = setInterval(() => this.#renew(), lifeSeconds * 250);
  }

  /** Into a folder, from now on. */
  static async write(
    folder: string,
    { cluster, namespace, account, lifeSeconds }: TokenOwner & {
      lifeSeconds: number;
    },
  ): Promise<ShortLivedTokens> {
    const key = createPrivateKey(
      await Deno.readTextFile(
        join(dirname(cluster.kubeconfig), "pki", "sa.key"),
      ),
    );
    const found = await namespace.kubectl(
      ["get", "serviceaccount", account, "-o", "jsonpath={.metadata.uid}"],
    );
    const issuer = "https://kubernetes.default.svc.cluster.local";
    const claims = {
      iss: issuer,
      aud: [issuer],
      sub: `system:serviceaccount:${namespace.name}:${account}`,
      "kubernetes.io": {
        namespace: namespace.name,
        serviceaccount: { name: account, uid: succeeded(found) },
      },
    };
    const signed = (seconds: number) => {
      const now = Math.floor(Date.now() / 1000);
      const end = now + seconds;
      const exp = end - LEEWAY_SECONDS;
      const text = [
        { alg: "RS256", typ: "JWT" },
        { ...claims, iat: exp - 60, nbf: exp - 60, exp },
      ].map((part) => base64url(new TextEncoder().encode(JSON.stringify(part))))
        .join(".");
      const bytes = sign("RSA-SHA256", new TextEncoder().encode(text), key);
      return {
        token: `${text}.${base64url(bytes)}`,
        endsAt: new Date(end * 1000),
      };
    };
    return new ShortLivedTokens(folder, signed, lifeSeconds);
  }

  #renew(): void {
    const { token, endsAt } = this.#sign(this.#lifeSeconds);
    replace(this.tokenFile, token);
    replace(
      this.#answerFile,
      JSON.stringify({
        apiVersion: "client.authentication.k8s.io/v1",
        kind: "ExecCredential",
        status: { token, expirationTimestamp: endsAt.toISOString() },
      }),
    );
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** So that nobody reads half of it. */
function replace(file: string, text: string): void {
  Deno.writeTextFileSync(`${file}.new`, text, { mode: 0o600 });
  Deno.renameSync(`${file}.new`, file);
}

function base64url(bytes: Uint8Array): string {
  return Uint8Array.from(bytes).toBase64({
    alphabet: "base64url",
    omitPadding: true,
  });
}
