export interface OpenLinkOptions {
  /** @default "ktctl" */
  readonly username?: string;
  /** Private key, as OpenSSH text. */
  readonly privateKey: string;
  /** The one key the agent may show: `ssh-ed25519 AAAA…`. */
  readonly hostPublicKey: string;
  readonly signal?: AbortSignal;
  /** Deadline of the login. @default 15000 */
  readonly timeoutMs?: number;
  /** @default 1000 */
  readonly pingIntervalMs?: number;
  /**
   * Without a byte for so long the link counts as dead. On top comes what the bytes need that are
   * still on their way up, at 1 Mbit/s. @default 4000
   */
  readonly deadAfterMs?: number;
}
