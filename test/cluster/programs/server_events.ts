// Reads a stream of server-sent events; prints who sent them and when each arrived.
//
//   deno run -A server_events.ts 'http://web/sse?n=5&ms=200' '{"version": "demo"}'
const [url = "", headers = "{}"] = Deno.args;
const response = await fetch(url, { headers: JSON.parse(headers) });
const times: number[] = [];
let text = "";
for await (
  const part of response.body!.pipeThrough(new TextDecoderStream())
) {
  text += part;
  const events = text.split("\n\n").length - 1;
  while (times.length < events) times.push(performance.now());
}
console.log(JSON.stringify({
  pod: response.headers.get("x-pod"),
  events: times.length,
  arrivedMs: times.map((time) => Math.round(time - times[0]!)),
}));
