import assert from "node:assert/strict";
import { imageFault } from "../../../src/kube/image_reference.ts";

const HEX = "0123456789abcdef".repeat(4);

Deno.test("an image's name is what kubelet takes for one", () => {
  const good = [
    "busybox",
    "denoland/deno:2.9.6",
    "localhost/busybox:1",
    "localhost:5000/a/b",
    "Registry.Example.com:443/team/app__x/y-z--1.2:Tag_1",
    "FOO/bar",
    "[2001:db8::1]:5000/app",
    "test:5000",
    `app@sha256:${HEX}`,
    `r.io/app:1@sha512:${HEX}${HEX}`,
    `app:${"t".repeat(128)}`,
  ];
  for (const image of good) assert.equal(imageFault(image), undefined, image);
});

Deno.test("what kubelet takes for no image's name is told, with what is wrong", () => {
  const bad: [string, RegExp][] = [
    ["", /empty/],
    ["-x", /not like/],
    ["not an image", /not like/],
    [" web", /not like/],
    ["web\n", /not like/],
    ["a//b", /not like/],
    ["/a", /not like/],
    ["a/", /not like/],
    ["https://r.io/app", /not like/],
    ["a..b", /not like/],
    ["a___b", /not like/],
    ["-r.io/app", /not like/],
    ["r.io:port/app", /not like/],
    ["Web", /lower case/],
    ["r.io/Web:1", /lower case/],
    ["web:", /no tag/],
    ["web:-1", /no tag/],
    ["web:a b", /no tag/],
    [`web:${"t".repeat(129)}`, /no tag/],
    ["web@", /no digest/],
    ["web@sha256:abc", /no digest/],
    [`web@sha256:${HEX.toUpperCase()}`, /no digest/],
    [`web@md5:${HEX}`, /no digest/],
    [HEX, /id, not a name/],
    ["a".repeat(256), /256 characters, 255/],
  ];
  for (const [image, says] of bad) {
    assert.match(imageFault(image) ?? "taken", says, image);
  }
});

Deno.test("a long bad name is looked at in no time", () => {
  const startMs = performance.now();
  imageFault(`${"a-".repeat(100)}!`);
  imageFault(`r.io/${"a_".repeat(120)}!`);
  // where each part were tried anew, it would take years
  assert.ok(performance.now() - startMs < 5_000);
});
