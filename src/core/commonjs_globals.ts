/**
 * ssh2 reads the CommonJS global `__dirname` when it loads (`lib/agent.js`, for `pagent.exe`, which
 * ktctl never runs). A bundle is an ES module and has none. To be imported before ssh2.
 * Upstream: mscdex/ssh2#885. Noticed by: "the bundled agent runs with the pod's command".
 */
(globalThis as { __dirname?: string }).__dirname ??= "/";
