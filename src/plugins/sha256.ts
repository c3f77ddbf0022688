/** The SHA-256 of a plugin's code, in lower-case hexadecimal. */
export async function sha256(code: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", code)).toHex();
}
