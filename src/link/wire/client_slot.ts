/** Which of `count` slots a client has, by its address: always the same one. */
export function clientSlot(address: string, count: number): number {
  let hash = 0x811c9dc5; // FNV-1a
  for (let at = 0; at < address.length; at++) {
    hash = Math.imul(hash ^ address.charCodeAt(at), 0x01000193);
  }
  // the last bits alone would tell neighbours apart badly
  return ((hash ^ (hash >>> 15)) >>> 0) % count;
}
