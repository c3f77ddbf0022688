/**
 * Captures packets with a TUN device, and offers a SOCKS5 proxy beside it; without the device, the
 * proxy alone, for which no root is needed.
 *
 * The device is that of Linux, utun of macOS, which is not verified on a Mac, or wintun of Windows,
 * which is not verified on Windows: it takes wintun.dll, and ktctl run as administrator.
 */
import { hostPort } from "../../core/host_port.ts";
import * as v from "valibot";
import { SYSTEM, systemName } from "../../core/system.ts";
import { SocksServer } from "../../net/socks/socks_server.ts";
import {
  chooseDeviceMethod,
  DEVICE_METHODS,
} from "../../net/tun/choose_device_method.ts";
import { openDevice } from "./tun_device.ts";
import { BUILTIN_LISTINGS } from "../builtin_listings.ts";
import { definePlugin, type TransportPlugin } from "../plugin.ts";

const PORT_HINT =
  "Another `ktctl connect` may be running: choose another port with --proxyPort.";

const flag = v.pipe(v.string(), v.transform((text) => text === "true"));

const optionsSchema = v.pipe(
  v.object({
    disableTunDevice: v.optional(flag, "false"),
    disableTunRoute: v.optional(flag, "false"),
    proxyPort: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^\d{1,5}$/, "--proxyPort is a number from 1 to 65535"),
        v.transform(Number),
        v.minValue(1, "--proxyPort is a number from 1 to 65535"),
        v.maxValue(65535, "--proxyPort is a number from 1 to 65535"),
      ),
      "2223",
    ),
    proxyAddr: v.optional(
      v.pipe(v.string(), v.ip("--proxyAddr is an address of this machine")),
      "127.0.0.1",
    ),
  }),
  v.check(
    ({ proxyAddr, disableTunDevice }) =>
      proxyAddr === "127.0.0.1" || disableTunDevice,
    "--proxyAddr goes with --disableTunDevice only",
  ),
);

type Options = v.InferOutput<typeof optionsSchema>;

const plugin: TransportPlugin<Options> = {
  ...BUILTIN_LISTINGS.tun2socks,
  apiVersion: 1,
  options: optionsSchema,
  steps: [],
  needs: ({ disableTunDevice }) => ({
    dns: disableTunDevice ? "none" : "machine",
    captures: !disableTunDevice,
  }),
  async probe({ root, options }) {
    const given = options as Options | undefined;
    if (given !== undefined) {
      const { proxyAddr: host, proxyPort: port } = given;
      await SocksServer.probe({ host, port, hint: PORT_HINT });
    }
    if (given?.disableTunDevice) return { ok: true };
    const method = DEVICE_METHODS[SYSTEM];
    if (method === undefined) {
      return {
        ok: false,
        reason:
          `its network device is written for Linux, macOS and Windows, not for ${systemName()}`,
        hint: "Use --disableTunDevice for a SOCKS5 proxy, or ktctl forward.",
      };
    }
    method.client.probe();
    await (await root?.open("tun.probe", {}))?.close();
    return { ok: true };
  },
  async open(context) {
    const { disableTunDevice, disableTunRoute, proxyPort, proxyAddr } =
      context.options;
    const { scope, link } = context;
    const proxy = scope.use(
      await SocksServer.start({
        link,
        host: proxyAddr,
        port: proxyPort,
        hint: PORT_HINT,
      }),
      "SOCKS5 proxy",
    );
    const host = proxyAddr.includes(":") ? `[${proxyAddr}]` : proxyAddr;
    const address = hostPort(host, proxy.port);
    const details = { proxy: `socks5h://${address}` };
    if (disableTunDevice) {
      return {
        message:
          `SOCKS5 proxy at ${address}, which resolves the cluster's names too`,
        output:
          `export ALL_PROXY=socks5h://${address} NO_PROXY=localhost,127.0.0.1\n`,
        details,
      };
    }
    const opened = await openDevice(context, { isRouted: !disableTunRoute });
    const { device } = opened;
    const routes = disableTunRoute
      ? `; device "${device}" has no routes: make them with \`${
        chooseDeviceMethod().client.routeCommand(device)
      }\``
      : "";
    return {
      ...opened,
      message: `SOCKS5 proxy at ${address}${routes}`,
      details: { ...details, device },
    };
  },
};

export default definePlugin(plugin);
