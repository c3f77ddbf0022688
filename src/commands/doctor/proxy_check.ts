import { proxyText } from "../../kube/http/proxy_text.ts";
import type { LaptopCheck } from "./laptop_subject.ts";

const VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/** What the environment says of proxies. */
export const PROXY_CHECK: LaptopCheck = {
  name: "proxy",
  title: "Proxy variables",
  look({ host: { env } }) {
    const read = (name: string) => env(name) || undefined;
    const torn = VARIABLES.filter((name) => {
      const [upper, lower] = [read(name), read(name.toLowerCase())];
      return upper !== undefined && lower !== undefined && upper !== lower;
    });
    const set = VARIABLES.filter((name) =>
      (read(name) ?? read(name.toLowerCase())) !== undefined
    );
    const facts = Object.fromEntries(set.map((name) => [
      name,
      proxyText(read(name) ?? read(name.toLowerCase())!),
    ]));
    const text = Object.entries(facts).map(([name, value]) =>
      `${name}=${value}`
    ).join(" ");
    if (torn.length > 0) {
      return {
        state: "warning",
        message: `${torn.join(", ")} and ${
          torn.map((name) => name.toLowerCase()).join(", ")
        } say different things: ${text}`,
        advice:
          "The one in capitals counts for ktctl, not for every program: set both alike.",
        facts,
      };
    }
    const hasProxy = facts["HTTPS_PROXY"] ?? facts["HTTP_PROXY"];
    if (facts["ALL_PROXY"] !== undefined && hasProxy === undefined) {
      return {
        state: "warning",
        message: `${text}; ktctl reads HTTPS_PROXY and HTTP_PROXY alone`,
        advice: "Set HTTPS_PROXY if the API server is behind that proxy.",
        facts,
      };
    }
    return {
      state: "good",
      message: set.length === 0 ? "none is set" : text,
      facts,
    };
  },
};
