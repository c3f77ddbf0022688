// Requests on one HTTP/2 connection without TLS, all at once, each with a header of its own.
// Prints which instance answered which stream.
//
//   deno run -A mixed_streams.ts http://web '["version: demo", ""]'
import { once } from "node:events";
import http2 from "node:http2";

const [url = "", list = "[]"] = Deno.args;
const session = http2.connect(url);
await once(session, "connect");
const answers = (JSON.parse(list) as string[]).map(async (header) => {
  const [key = "", value = ""] = header.split(": ");
  const stream = session.request({
    ":path": "/",
    ...(key === "" ? {} : { [key]: value }),
  });
  stream.setEncoding("utf8");
  let text = "";
  for await (const part of stream) text += part;
  return text;
});
console.log(JSON.stringify(await Promise.all(answers)));
session.destroy();
