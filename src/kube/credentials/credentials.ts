/** What proves to the API server who we are, refreshed as it ages. */

/** Headers and client certificate of one request. */
export interface Authorization {
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** PEM. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
}

export interface CredentialsOptions {
  /** What a credential plugin says to the user ("open this page to sign in"). */
  readonly onPluginOutput?: ((text: string) => void) | undefined;
}

/** Gives credentials, and new ones after {@link Credentials.drop}. */
export interface Credentials {
  /**
   * @throws {UsageError} `KUBECONFIG_INVALID` for a file that cannot be read.
   * @throws {PermissionError} `CREDENTIAL_PLUGIN_FAILED`.
   */
  authorize(): Promise<Authorization>;
  /** The server refused them: forget what was cached. @returns False where nothing can change. */
  drop(): boolean;
}
