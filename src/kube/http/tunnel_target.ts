/** Where a connection through a proxy shall end. */
export interface TunnelTarget {
  readonly host: string;
  readonly port: number;
}
