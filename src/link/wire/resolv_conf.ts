/** What a resolv.conf says (resolv.conf(5)). */
export interface ResolvConf {
  /** Addresses, in order, without doubles; with a port other than 53 as `[address]:port`. */
  readonly nameservers: readonly string[];
  /** Domains in lower case, without a final dot. */
  readonly search: readonly string[];
  /** A name with fewer dots is looked up with the search domains first. @default 1 */
  readonly ndots: number;
}
