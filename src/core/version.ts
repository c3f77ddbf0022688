import config from "../../deno.json" with { type: "json" };

/** This ktctl's version. */
export const VERSION: string = config.version;
