/**
 * Certificates of the keys that SSH has as well. By hand, as what makes X.509 in npm is a quarter of a
 * megabyte: all but the key is the same each time.
 */
import { Buffer } from "node:buffer";
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
} from "node:crypto";
import { UsageError } from "../../core/errors.ts";

const TAG = {
  integer: 0x02,
  bits: 0x03,
  text: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
};
/** 1.3.101.112, RFC 8410. */
const ED25519 = Buffer.from("06032b6570", "hex");
/** 2.5.4.3 */
const COMMON_NAME = Buffer.from("0603550403", "hex");
const SIGNATURE_BYTES = 64;
/** What stands before the 32 bytes of a key, RFC 8410. */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** A certificate, and the key that goes with it, as PEM. */
export interface LinkCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** @param openSshKey Of ed25519, without a passphrase. */
export function certificateOf(openSshKey: string): LinkCertificate {
  const key = readPrivateKey(openSshKey);
  const contents = contentsOf(
    createPublicKey(key).export({ type: "spki", format: "der" }),
  );
  return {
    certificate: signed(contents, sign(null, contents, key)),
    privateKey: key.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/**
 * By which TLS trusts whoever has the private half of a key. Its own signature is none: of what is trusted
 * without a reason nobody looks at it.
 *
 * @param publicKey `ssh-ed25519 AAAA…`
 */
export function trustOf(publicKey: string): string {
  const contents = contentsOf(publicKeyInfo(publicKey));
  return signed(contents, Buffer.alloc(SIGNATURE_BYTES));
}

/** As it stands in a certificate. */
export function publicKeyInfo(publicKey: string): Buffer {
  const [, base64 = ""] = publicKey.trim().split(/\s+/);
  const [type, key] = fields(Buffer.from(base64, "base64"));
  if (type?.toString() !== "ssh-ed25519" || key?.length !== 32) {
    throw unreadable("public key");
  }
  return Buffer.concat([SPKI, key]);
}

/** See https://cvsweb.openbsd.org/src/usr.bin/ssh/PROTOCOL.key: one key, and no cipher. */
function readPrivateKey(text: string): KeyObject {
  const base64 = text.replaceAll(/-----[A-Z ]+-----|\s/g, "");
  const magic = Buffer.from("openssh-key-v1\0");
  const bytes = Buffer.from(base64, "base64");
  if (!bytes.subarray(0, magic.length).equals(magic)) {
    throw unreadable("private key");
  }
  const [cipher, , , ...rest] = fields(bytes.subarray(magic.length), 3);
  const [, secret] = fields(rest[0]!.subarray(4)); // behind how many there are
  const [type, , pair] = fields(secret!.subarray(8)); // behind two check numbers
  if (
    cipher?.toString() !== "none" || type?.toString() !== "ssh-ed25519" ||
    pair?.length !== 64
  ) throw unreadable("private key");
  const key = Buffer.concat([PKCS8, pair.subarray(0, 32)]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** Byte strings, each after its length in four bytes; what is behind `most` of them is the last. */
function fields(bytes: Buffer, most = Infinity): Buffer[] {
  const all: Buffer[] = [];
  let at = 0;
  while (at + 4 <= bytes.length && all.length < most) {
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    all.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return [...all, bytes.subarray(at)];
}

function contentsOf(publicKey: Buffer): Buffer {
  const name = der(
    TAG.sequence,
    der(
      TAG.set,
      der(TAG.sequence, COMMON_NAME, der(TAG.text, Buffer.from("ktctl"))),
    ),
  );
  return der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Buffer.from([2]))),
    der(TAG.integer, Buffer.from([1])),
    der(TAG.sequence, ED25519),
    name,
    // a session's key ends with it, whatever the clocks of laptop and pod say
    der(TAG.sequence, time("200101000000Z"), time("491231235959Z")),
    name,
    publicKey,
  );
}

function signed(contents: Buffer, signature: Uint8Array): string {
  const whole = der(
    TAG.sequence,
    contents,
    der(TAG.sequence, ED25519),
    der(TAG.bits, Buffer.from([0]), signature),
  );
  const lines = whole.toString("base64").match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function time(text: string): Buffer {
  return der(TAG.utcTime, Buffer.from(text));
}

function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function unreadable(what: string): UsageError {
  return new UsageError(
    "LINK_KEY_INVALID",
    `Cannot read the ${what}: it is not ed25519 as OpenSSH writes it`,
  );
}
