import type { LinkProtocol } from "../../../../src/link/wire/link_protocol.ts";

/** A test for each protocol that laptop and agent can speak. */
export function testEachProtocol(
  name: string,
  test: (protocol: LinkProtocol) => Promise<void>,
): void {
  for (const protocol of ["tls", "ssh"] as const) {
    Deno.test(`${name} (${protocol})`, () => test(protocol));
  }
}
