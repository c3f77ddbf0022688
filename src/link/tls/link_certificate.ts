/**
 * Certificates of the keys that SSH has as well. By hand, as what makes X.509 in npm is a quarter of a
 * megabyte: all but the key is the same each time.
 */
import { Buffer } from "node:buffer";
import { createPublicKey, sign } from "node:crypto";
import { readOpenSshKey, readPublicKey } from "../wire/openssh_key.ts";

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
/** What stands before the bytes of a public key, RFC 8410. */
const SPKI = Buffer.from("302a300506032b6570032100", "hex");

/** A certificate, and the key that goes with it, as PEM. */
export interface LinkCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** @param openSshKey Of ed25519, without a passphrase. */
export function certificateOf(openSshKey: string): LinkCertificate {
  const { privateKey } = readOpenSshKey(openSshKey);
  const contents = contentsOf(
    createPublicKey(privateKey).export({ type: "spki", format: "der" }),
  );
  return {
    certificate: signed(contents, sign(null, contents, privateKey)),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
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
  return Buffer.concat([SPKI, readPublicKey(publicKey)]);
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
