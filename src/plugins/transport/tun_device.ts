import type { Transport, TransportContext } from "../plugin.ts";
export function openDevice(_c: TransportContext<unknown>): Promise<Transport> {
  throw new Deno.errors.NotSupported("later");
}
