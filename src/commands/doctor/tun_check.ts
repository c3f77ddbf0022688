import { messageOf } from "../../core/errors.ts";
import { chooseDeviceMethod } from "../../net/tun/choose_device_method.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

const WAY_OUT =
  "Or use `ktctl connect --disableTunDevice`, a SOCKS5 proxy, or, on Linux and macOS, `--mode sshuttle`.";

/** What `connect` makes by default. */
export const TUN_CHECK: LaptopCheck = {
  name: "tun",
  title: "TUN device",
  async look({ exec, isRoot }) {
    try {
      const method = chooseDeviceMethod();
      method.client.probe();
      await method.probe({ exec, root: "" });
    } catch (error) {
      return {
        // what is refused to this user may be there for root
        state: isRoot ? "bad" : "warning",
        message: messageOf(error),
        advice: WAY_OUT,
      };
    }
    return { state: "good", message: "one can be made" };
  },
};
