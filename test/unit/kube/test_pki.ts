/** Certificates made on the spot by openssl: an authority, a server, a client, and a stranger. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { TempFolder } from "./temp_folder.ts";

const run = promisify(execFile);

export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface TestPki extends AsyncDisposable {
  readonly folder: TempFolder;
  readonly ca: KeyPair;
  /** For localhost, 127.0.0.1 and kube.internal. */
  readonly server: KeyPair;
  /** For kube.internal only. */
  readonly namedServer: KeyPair;
  readonly client: KeyPair;
  /** Ended a day before it was made. */
  readonly expiredClient: KeyPair;
  /** An authority that signed none of these. */
  readonly stranger: KeyPair;
}

const KEY = [
  "-newkey",
  "ec",
  "-pkeyopt",
  "ec_paramgen_curve:prime256v1",
  "-nodes",
];

export async function makePki(): Promise<TestPki> {
  const folder = await TempFolder.make();
  const file = (name: string) => `${folder.path}/${name}`;
  const pair = async (name: string): Promise<KeyPair> => ({
    cert: await readFile(file(`${name}.crt`), "utf8"),
    key: await readFile(file(`${name}.key`), "utf8"),
  });
  async function authority(name: string): Promise<KeyPair> {
    await run(
      "openssl",
      ["req", "-x509", ...KEY, "-days", "2"].concat([
        ...["-subj", `/CN=${name}`],
        ...["-keyout", file(`${name}.key`), "-out", file(`${name}.crt`)],
      ]),
    );
    return await pair(name);
  }
  async function signed(
    name: string,
    extension: string,
    dates = ["-days", "2"],
  ): Promise<KeyPair> {
    await run(
      "openssl",
      ["req", ...KEY].concat([
        ...["-subj", `/CN=${name}`],
        ...["-keyout", file(`${name}.key`), "-out", file(`${name}.csr`)],
      ]),
    );
    await folder.write(`${name}.ext`, extension);
    await run(
      "openssl",
      ["x509", "-req", ...dates].concat([
        ...["-in", file(`${name}.csr`), "-out", file(`${name}.crt`)],
        ...["-CA", file("ca.crt"), "-CAkey", file("ca.key"), "-CAcreateserial"],
        ...["-extfile", file(`${name}.ext`)],
      ]),
    );
    return await pair(name);
  }
  return {
    folder,
    ca: await authority("ca"),
    stranger: await authority("stranger"),
    server: await signed(
      "server",
      "subjectAltName=DNS:localhost,IP:127.0.0.1,DNS:kube.internal\n",
    ),
    namedServer: await signed("named", "subjectAltName=DNS:kube.internal\n"),
    client: await signed("client", "extendedKeyUsage=clientAuth\n"),
    expiredClient: await signed(
      "expired",
      "extendedKeyUsage=clientAuth\n",
      ["-days", "-1"],
    ),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
