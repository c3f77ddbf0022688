import assert from "node:assert/strict";
import {
  formatServiceHost,
  parseServiceHost,
  type ServiceHost,
} from "../../../../src/link/wire/service_host.ts";

for (
  const target of [
    { service: "dns" },
    { service: "resolver" },
    { service: "udp", host: "10.0.0.1" },
    { service: "udp", host: "fd00::1" },
    { service: "udp", host: "kube-dns.kube-system" },
    { service: "udp", host: "udp" },
    { service: "reach", host: "web" },
  ] satisfies ServiceHost[]
) {
  Deno.test(`${JSON.stringify(target)} is read back`, () => {
    assert.deepEqual(parseServiceHost(formatServiceHost(target)), target);
  });
}

for (
  const host of [
    "web",
    "10.0.0.1",
    "ktctl.invalid",
    ".ktctl.invalid",
    "udp.ktctl.invalid",
    ".udp.ktctl.invalid",
    "web.tcp.ktctl.invalid",
    "dns.ktctl.invalid.example",
  ]
) {
  Deno.test(`"${host}" is a host like any other`, () => {
    assert.equal(parseServiceHost(host), undefined);
  });
}
