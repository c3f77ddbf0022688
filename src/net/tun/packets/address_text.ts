import { Cidr, formatAddress } from "../../cidr.ts";

/** The bytes of an address of either family as text. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return formatAddress(6, value);
}

/** Back to bytes. @throws {UsageError} `CIDR_INVALID`. */
export function addressBytes(text: string): Uint8Array {
  const { family, first } = Cidr.parse(text);
  const size = family === 4 ? 4 : 16;
  return Uint8Array.from(
    { length: size },
    (_, at) => Number((first >> BigInt(8 * (size - 1 - at))) & 0xffn),
  );
}
