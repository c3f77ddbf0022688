/** Keys of ed25519 as OpenSSH writes them, which is how the pod's Secret has them. */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";
import { UsageError } from "../../core/errors.ts";

const TYPE = "ssh-ed25519";
const KEY_BYTES = 32;
const MAGIC = Buffer.from("openssh-key-v1\0");
/** What stands before the bytes of a private key, RFC 8410. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

export interface OpenSshKey {
  readonly privateKey: KeyObject;
  /** `ssh-ed25519 AAAA…` */
  readonly publicKey: string;
}

/**
 * A private key without a passphrase, see https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key
 *
 * @throws {UsageError} `LINK_KEY_INVALID`.
 */
export function readOpenSshKey(text: string): OpenSshKey {
  const base64 = text.replaceAll(/-----[A-Z ]+-----|\s/g, "");
  const bytes = Buffer.from(base64, "base64");
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw unreadable("private key");
  }
  const head = fields(bytes.subarray(MAGIC.length), 3); // cipher, and two of its own
  const body = fields(head[3]!.subarray(4), 2); // behind how many keys there are
  const [type, publicPart, pair] = fields(body[1]!.subarray(8), 3); // behind two check numbers
  if (
    head[0]!.toString() !== "none" || type!.toString() !== TYPE ||
    pair!.length !== 2 * KEY_BYTES || publicPart!.length !== KEY_BYTES
  ) throw unreadable("private key");
  return {
    privateKey: createPrivateKey({
      key: Buffer.concat([PKCS8, pair!.subarray(0, KEY_BYTES)]),
      format: "der",
      type: "pkcs8",
    }),
    publicKey: `${TYPE} ${body[0]!.toString("base64")}`,
  };
}

/** Both halves of a private key of ed25519, as text. */
export function formatOpenSshKey(
  key: KeyObject,
): { privateKey: string; publicKey: string } {
  const secret = key.export({ type: "pkcs8", format: "der" })
    .subarray(PKCS8.length);
  const shown = createPublicKey(key).export({ type: "spki", format: "der" })
    .subarray(-KEY_BYTES);
  const blob = Buffer.concat([field(TYPE), field(shown)]);
  // two equal numbers, by which a passphrase is told to be the right one
  const check = Buffer.alloc(8);
  const pair = Buffer.concat([secret, shown]);
  const whole = [check, field(TYPE), field(shown), field(pair), field("")];
  const length = whole.reduce((sum, part) => sum + part.length, 0);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, -length & 7));
  const bytes = Buffer.concat([
    ...[MAGIC, field("none"), field("none"), field(""), number(1), field(blob)],
    field(Buffer.concat([...whole, padding])),
  ]);
  const lines = bytes.toString("base64").match(/.{1,70}/g)!.join("\n");
  return {
    privateKey:
      `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `${TYPE} ${blob.toString("base64")}`,
  };
}

function field(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([number(bytes.length), bytes]);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/**
 * The 32 bytes of `ssh-ed25519 AAAA…`.
 *
 * @throws {UsageError} `LINK_KEY_INVALID`.
 */
export function readPublicKey(text: string): Uint8Array {
  const [, base64 = ""] = text.trim().split(/\s+/);
  const [type, key] = fields(Buffer.from(base64, "base64"), 2);
  if (type!.toString() !== TYPE || key!.length !== KEY_BYTES) {
    throw unreadable("public key");
  }
  return key!;
}

/** So many byte strings, each after its length in four bytes, and then what is left. */
function fields(bytes: Buffer, count: number): Buffer[] {
  const all: Buffer[] = [];
  let at = 0;
  for (let n = 0; n < count; n++) {
    const length = at + 4 <= bytes.length ? bytes.readUInt32BE(at) : Infinity;
    if (at + 4 + length > bytes.length) throw unreadable("key");
    all.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return [...all, bytes.subarray(at)];
}

function unreadable(what: string): UsageError {
  return new UsageError(
    "LINK_KEY_INVALID",
    `Cannot read the ${what}: it is not one of ed25519 as OpenSSH writes it`,
  );
}
