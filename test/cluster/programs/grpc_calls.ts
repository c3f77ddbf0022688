// Makes the calls of a JSON list, all on one connection and all at once; prints the answers as JSON.
//
//   deno run -A grpc_calls.ts http://web-grpc:50051 '[{"method": "Pod", "metadata": {}}]'
import { GrpcChannel } from "./grpc_channel.ts";

const [url = "", calls = "[]"] = Deno.args;
const channel = await GrpcChannel.open(url);
// deno-lint-ignore no-explicit-any -- open JSON
const answers = JSON.parse(calls).map(({ method, metadata }: any) =>
  channel.answer(method, metadata)
);
console.log(JSON.stringify(await Promise.all(answers)));
channel.close();
