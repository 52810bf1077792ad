export * from "./lib/frame/mod.ts";
export * from "./lib/net/mod.ts";
export * from "./lib/message/mod.ts";
export * from "./lib/search/mod.ts";
export * from "./lib/echo/mod.ts";
export * from "./lib/load/mod.ts";
export * from "./lib/pubsub/mod.ts";
