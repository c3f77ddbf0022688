import assert from "node:assert/strict";
import {
  Cancelled,
  PermissionError,
  UnsupportedError,
} from "../../../src/core/errors.ts";
import { startHelper } from "../../../src/helper/start_helper.ts";

const signal = new AbortController().signal;
const command = (...argv: string[]) => ({ argv, env: {} });

Deno.test("without root and without sudo, root is needed, and there is a way out", async () => {
  const path = Deno.env.get("PATH") ?? "";
  Deno.env.set("PATH", "/nowhere");
  try {
    await assert.rejects(
      startHelper({ signal, isRoot: false, command: command("/bin/true") }),
      (error) =>
        error instanceof PermissionError && error.code === "ROOT_NEEDED" &&
        /Run ktctl as root/.test(error.hint ?? ""),
    );
  } finally {
    Deno.env.set("PATH", path);
  }
});

Deno.test("a helper that ends before it says hello was not started", async () => {
  await assert.rejects(
    startHelper({ signal, isRoot: true, command: command("/bin/false") }),
    (error) =>
      error instanceof UnsupportedError && error.code === "HELPER_NOT_STARTED",
  );
});

Deno.test("a start is given up by its signal", async () => {
  const controller = new AbortController();
  const started = startHelper({
    signal: controller.signal,
    isRoot: true,
    command: command("/bin/cat"), // says nothing, and ends with its input
  });
  controller.abort(new Cancelled("SIGINT"));
  await assert.rejects(started, Cancelled);
});

Deno.test("on Windows nothing is started without an administrator's rights, and it is said how to get them", async () => {
  await assert.rejects(
    startHelper({
      signal,
      os: "windows",
      isRoot: false,
      command: command("/bin/cat"),
    }),
    (error) =>
      error instanceof PermissionError && error.code === "ROOT_NEEDED" &&
      /Run as administrator/.test(error.hint ?? ""),
  );
});
