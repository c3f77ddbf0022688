// A gRPC client that knows no protobuf: messages are bytes, as in demo/demo.ts.
import { Buffer } from "node:buffer";
import { once } from "node:events";
import http2 from "node:http2";

export interface GrpcAnswer {
  /** The messages, as text. */
  readonly messages: readonly string[];
  /** Milliseconds between the first message and each of them. */
  readonly arrivedMs: readonly number[];
  readonly headers: Readonly<Record<string, unknown>>;
  readonly trailers: Readonly<Record<string, unknown>>;
}

/** Of one call: send and end as one likes, read message by message. */
export class GrpcCall {
  readonly #stream: http2.ClientHttp2Stream;
  headers: Record<string, unknown> = {};
  trailers: Record<string, unknown> = {};

  constructor(stream: http2.ClientHttp2Stream) {
    this.#stream = stream;
    stream.on("response", (headers) => this.headers = headers);
    stream.on("trailers", (trailers) => this.trailers = trailers);
  }

  send(message: string): void {
    const bytes = Buffer.from(message);
    const frame = Buffer.alloc(5 + bytes.length);
    frame.writeUInt32BE(bytes.length, 1);
    frame.set(bytes, 5);
    this.#stream.write(frame);
  }

  end(): void {
    this.#stream.end();
  }

  async *messages(): AsyncGenerator<string> {
    let data = Buffer.alloc(0);
    for await (const part of this.#stream) {
      data = Buffer.concat([data, part]);
      while (data.length >= 5 && data.length >= 5 + data.readUInt32BE(1)) {
        const end = 5 + data.readUInt32BE(1);
        yield data.subarray(5, end).toString();
        data = data.subarray(end);
      }
    }
  }
}

/** One HTTP/2 connection without TLS; calls on it run side by side. */
export class GrpcChannel {
  readonly #session: http2.ClientHttp2Session;

  private constructor(session: http2.ClientHttp2Session) {
    this.#session = session;
    session.on("error", () => {}); // each call tells of it
  }

  static async open(url: string): Promise<GrpcChannel> {
    const session = http2.connect(url);
    await once(session, "connect");
    return new GrpcChannel(session);
  }

  call(method: string, metadata: Record<string, string> = {}): GrpcCall {
    return new GrpcCall(this.#session.request({
      ":method": "POST",
      ":path": `/demo.Demo/${method}`,
      "content-type": "application/grpc",
      te: "trailers",
      ...metadata,
    }));
  }

  /** One message there, all that come back. */
  async answer(
    method: string,
    metadata: Record<string, string> = {},
  ): Promise<GrpcAnswer> {
    const call = this.call(method, metadata);
    call.send("hello");
    call.end();
    const messages: string[] = [];
    const times: number[] = [];
    for await (const message of call.messages()) {
      messages.push(message);
      times.push(performance.now());
    }
    const { headers, trailers } = call;
    const arrivedMs = times.map((time) => Math.round(time - times[0]!));
    return { messages, arrivedMs, headers, trailers };
  }

  close(): void {
    this.#session.destroy();
  }
}
