/**
 * Who we are to the API server, and whom we take for it. Both may change while a command runs: a
 * certificate or an authority is rotated, a token renewed. So where one of them is refused the
 * kubeconfig is read again, as `kubectl` would read it now.
 */
import { disturbances } from "../../core/machine/disturbances.ts";
import { KtctlError } from "../../core/errors.ts";
import { credentialFault } from "../credentials/credential_fault.ts";
import type { Authorization, Credentials } from "../credentials/credentials.ts";
import { pem } from "../credentials/pem.ts";
import type { KubeTarget } from "../kubeconfig/kube_target.ts";
import { endIdle, type KubeAgent, makeKubeAgent } from "./kube_agent.ts";
import { OpenConnections } from "./open_connections.ts";
import { isCertificateFault } from "./unreachable.ts";

export interface SignIn {
  readonly target: KubeTarget;
  readonly credentials: Credentials;
}

export interface IdentityOptions extends SignIn {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The same cluster's and user's entries as they are on the disk now. @default nothing is read again */
  readonly reread?: (() => Promise<SignIn | undefined>) | undefined;
  /** Gets the IP address of each connection's other end. */
  readonly onPeer: (address: string) => void;
}

interface Current extends Pick<Authorization, "cert" | "key"> {
  readonly agent: KubeAgent;
  readonly ca: string | undefined;
}

export class Identity {
  readonly #options: IdentityOptions;
  #signIn: SignIn;
  /** As it was read: credentials write what they renew into their target. */
  #read: string;
  #ca: Promise<string | undefined> | undefined;
  #current: Current | undefined;
  #rereading: Promise<boolean> | undefined;
  readonly #connections = new OpenConnections();
  #doubts: Disposable | undefined;

  constructor(options: IdentityOptions) {
    this.#options = options;
    this.#signIn = options;
    this.#read = JSON.stringify(options.target);
  }

  authorize(): Promise<Authorization> {
    return this.#signIn.credentials.authorize();
  }

  /** The agent for this client certificate; a renewed one gets connections of its own. */
  async agentFor({ cert, key }: Authorization): Promise<KubeAgent> {
    const ca = await this.#authority();
    const current = this.#current;
    if (
      current !== undefined && current.cert === cert &&
      current.key === key && current.ca === ca
    ) return current.agent;
    if (current !== undefined) endIdle(current.agent);
    const agent = makeKubeAgent({
      cluster: this.#signIn.target.cluster,
      ca,
      authorization: {
        headers: {},
        ...(cert && { cert }),
        ...(key && { key }),
      },
      env: this.#options.env,
      onConnection: (connection, { localAddress, remoteAddress }) => {
        this.#connections.add(connection, localAddress);
        if (remoteAddress) this.#options.onPeer(remoteAddress);
      },
    });
    this.#current = { agent, ca, ...(cert && { cert }), ...(key && { key }) };
    this.#doubts ??= disturbances.on(({ addresses }) => {
      // whether an idle one is alive would only be seen by a request that waits for its deadline
      if (this.#current !== undefined) endIdle(this.#current.agent);
      if (addresses !== undefined) this.#connections.endStranded(addresses);
    });
    return agent;
  }

  /** What is known here to be wrong with our credentials. */
  fault(nowMs: number): string | undefined {
    const { cert, key } = this.#current ?? {};
    return credentialFault(this.#signIn.target, { cert, key, nowMs });
  }

  /** After a failed request: whether another one may fare better, with what is on the disk now. */
  async renewAfter(error: unknown): Promise<boolean> {
    if (!(error instanceof KtctlError)) return false;
    if (error.code === "UNAUTHORISED") return await this.renew();
    return isCertificateFault(error.cause) && await this.#reread();
  }

  /** After a 401. */
  async renew(): Promise<boolean> {
    const mayHelp = this.#signIn.credentials.drop();
    return await this.#reread() || mayHelp;
  }

  close(): void {
    this.#doubts?.[Symbol.dispose]();
    this.#doubts = undefined;
    this.#current?.agent.destroy();
    this.#current = undefined;
  }

  #authority(): Promise<string | undefined> {
    const { caData, caFile } = this.#signIn.target.cluster;
    return this.#ca ??= pem(caData, caFile, "certificate authority")
      .catch((error) => {
        this.#ca = undefined; // who writes the file just now leaves it unreadable for a moment
        throw error;
      });
  }

  /** One for all requests that are refused at once. */
  #reread(): Promise<boolean> {
    return this.#rereading ??= this.#readAgain().finally(() =>
      this.#rereading = undefined
    );
  }

  async #readAgain(): Promise<boolean> {
    const before = await this.#authority().catch(() => undefined);
    // who edits it just now may leave it unreadable for a moment
    const found = await this.#options.reread?.().catch(() => undefined);
    const read = found && JSON.stringify(found.target);
    const isChanged = found !== undefined && read !== this.#read;
    if (isChanged) {
      this.#signIn = found;
      this.#read = read!;
    }
    this.#ca = undefined;
    return await this.#authority() !== before || isChanged;
  }
}
