// @ts-types="@types/dns-packet"
import { type Answer, decode, encode, type RecordType } from "dns-packet";
import { Buffer } from "node:buffer";

/** A query, made by a library that is not what is tested. */
export function query(
  name: string,
  type: RecordType = "A",
  options: { id?: number; udpBytes?: number } = {},
): Uint8Array {
  const { id = 4711, udpBytes } = options;
  return new Uint8Array(encode({
    type: "query",
    id,
    flags: 0x0100,
    questions: [{ name, type }],
    additionals: udpBytes === undefined ? [] : [{
      type: "OPT",
      name: ".",
      udpPayloadSize: udpBytes,
      extendedRcode: 0,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    }],
  }));
}

/** The answer of a server to a query: with records, or with an `rcode` and a SOA. */
export function response(
  asked: Uint8Array,
  answers: Answer[],
  options: { rcode?: number; soaTtlS?: number; truncated?: boolean } = {},
): Uint8Array {
  const { rcode = 0, soaTtlS, truncated } = options;
  const { id, questions } = decode(Buffer.from(asked));
  return new Uint8Array(encode({
    type: "response",
    id: id ?? 0,
    flags: 0x0180 | rcode | (truncated ? 0x0200 : 0),
    questions: questions ?? [],
    answers,
    authorities: soaTtlS === undefined ? [] : [{
      type: "SOA",
      name: "zone.test",
      ttl: soaTtlS,
      data: {
        mname: "ns.zone.test",
        rname: "root.zone.test",
        minimum: soaTtlS,
      },
    }],
  }));
}

/** An address record. */
export function a(name: string, data: string, ttl = 30): Answer {
  return { type: "A", name, data, ttl };
}

export interface ReadAnswer {
  id: number;
  rcode: string;
  truncated: boolean;
  question: string;
  type: string;
  /** `name TYPE data` */
  records: string[];
  ttls: number[];
}

/** What a message says. */
export function read(message: Uint8Array): ReadAnswer {
  const packet = decode(Buffer.from(message));
  const answers = packet.answers ?? [];
  return {
    id: packet.id ?? 0,
    rcode: (packet as unknown as { rcode: string }).rcode,
    truncated: packet.flag_tc,
    question: packet.questions?.[0]?.name ?? "",
    type: packet.questions?.[0]?.type ?? "",
    records: answers.map((one) => {
      const { data } = one as { data: unknown };
      const text = typeof data === "string" ? data : JSON.stringify(data);
      return `${one.name} ${one.type} ${text}`;
    }),
    ttls: answers.map((one) => (one as { ttl?: number }).ttl ?? 0),
  };
}
