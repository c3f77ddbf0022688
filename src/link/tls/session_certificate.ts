/**
 * A certificate of a session's own. By hand, as what makes X.509 in npm is a quarter of a megabyte: all
 * but a key and two dates is the same each time.
 */
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

export interface SessionCertificate {
  /** Both as PEM. */
  readonly certificate: string;
  readonly privateKey: string;
}

/** Clocks of pods and laptops may differ by so much. */
const EARLIER_MS = 7 * 24 * 3600 * 1000;
/** Sessions are shorter than that. */
const VALID_MS = 2 * 365 * 24 * 3600 * 1000;

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

/** Signed by its own key. Whoever is to trust it gets it by a way that is trusted, and compares all of it. */
export function makeSessionCertificate(name: string): SessionCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const algorithm = der(TAG.sequence, ED25519);
  const names = der(
    TAG.sequence,
    der(
      TAG.set,
      der(TAG.sequence, COMMON_NAME, der(TAG.text, Buffer.from(name))),
    ),
  );
  const serial = randomBytes(16);
  serial[0] = serial[0]! & 0x3f | 0x40; // positive, and no zero in front
  const contents = der(
    TAG.sequence,
    der(TAG.version, der(TAG.integer, Buffer.from([2]))),
    der(TAG.integer, serial),
    algorithm,
    names,
    der(TAG.sequence, time(-EARLIER_MS), time(VALID_MS)),
    names,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign(null, contents, privateKey);
  const whole = der(
    TAG.sequence,
    contents,
    algorithm,
    der(TAG.bits, Buffer.from([0]), signature),
  );
  return {
    certificate: pem("CERTIFICATE", whole),
    privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
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

/** As `YYMMDDHHMMSSZ`: until 2049 that is what a certificate has to have. */
function time(fromNowMs: number): Buffer {
  const text = new Date(Date.now() + fromNowMs).toISOString();
  return der(
    TAG.utcTime,
    Buffer.from(`${text.slice(2, 19).replaceAll(/[-:T]/g, "")}Z`),
  );
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g)!.join("\n");
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
