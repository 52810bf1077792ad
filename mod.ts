export * from "./lib/frame/mod.ts";
export * from "./lib/net/mod.ts";
