#!/usr/bin/env node
// What npm's `ktctl` starts: ktctl.js beside it, with the Deno that npm has installed.
"use strict";
const { spawn } = require("node:child_process");
const { join } = require("node:path");

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

function findDeno() {
  try {
    return require("deno/install_api.cjs").runInstall();
  } catch (error) {
    console.error(
      `Cannot start ktctl: npm's package "deno" has no program for this machine: ${error.message}\n` +
        "Install ktctl without --omit=optional, on a system that Deno is made for.",
    );
    process.exit(3);
  }
}

const deno = findDeno();
const args = ["run", "-A", "--quiet", "--no-config", "--no-lock"]
  .concat(join(__dirname, "ktctl.js"), process.argv.slice(2));
const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1" };
const isWindows = process.platform === "win32";

// Node 22.15 and later: this process becomes ktctl, so that what is done to it is done to ktctl
if (process.execve && !isWindows) process.execve(deno, [deno, ...args], env);

const child = spawn(deno, args, { stdio: "inherit", env });
// it puts everything back, and this process waits for that
for (const signal of SIGNALS) {
  process.on(signal, () => {
    // a Ctrl-C on Windows reaches it by the console; kill would end it at once
    if (!isWindows) child.kill(signal);
  });
}
child.on("error", (error) => {
  console.error(`Cannot start ktctl: ${error.message}`);
  process.exitCode = 3;
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
