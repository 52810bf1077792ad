import { nodeModule } from "../base/node_module.ts";

/** Node's cryptography, loaded at the first call: servers without an authentication file need none. */
export function nodeCrypto(): typeof import("node:crypto") {
  return nodeModule("node:crypto");
}
