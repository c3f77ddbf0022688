/** How Windows' API takes texts and GUIDs. */

/** UTF-16, ended by a zero. */
export function wideText(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(2 * (text.length + 1));
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at++) {
    view.setUint16(2 * at, text.charCodeAt(at), true);
  }
  return bytes;
}

/** `struct GUID`: its first three numbers are little-endian, the rest are bytes as they are written. */
export function guidBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.fromHex(text.replaceAll("-", ""));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, view.getUint32(0), true);
  view.setUint16(4, view.getUint16(4), true);
  view.setUint16(6, view.getUint16(6), true);
  return bytes;
}
