import assert from "node:assert/strict";
import { DARWIN_IOCTL, darwinIoctl } from "../../../src/net/darwin_ioctl.ts";
import { dlopenLibc } from "../../../src/net/dlopen_libc.ts";

const SYMBOLS = {
  ioctl: DARWIN_IOCTL,
  pipe: { parameters: ["buffer"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
} as const;
const FIONREAD = Deno.build.os === "darwin" ? 0x4004667fn : 0x541bn;

Deno.test({
  name: "ioctl finds its variable argument where macOS's call puts it",
  // where there are registers enough, Linux's ioctl finds it as well
  ignore: Deno.build.os === "windows",
  fn() {
    const libc = dlopenLibc(SYMBOLS, {
      purpose: "test",
      unsupported: { code: "TEST", hint: "" },
    });
    const { pipe, write, close, ioctl } = libc.symbols;
    const ends = new Int32Array(2);
    assert.equal(pipe(new Uint8Array(ends.buffer)), 0);
    const [from = -1, to = -1] = ends;
    write(to, new Uint8Array(7), 7n);
    const data = new Uint8Array(4);
    assert.equal(darwinIoctl(ioctl, { fd: from, request: FIONREAD, data }), 0);
    assert.equal(new DataView(data.buffer).getInt32(0, true), 7);
    close(from);
    close(to);
    libc.close();
  },
});
