export * from "./lib/frame/mod.ts";
