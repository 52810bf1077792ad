import { accessFlags, httpFlags, limitFlags, serverTlsFlags } from "../_cli/mod.ts";

/** The address argument of `echo-server` and `multiconn-server`. */
export const listenArgument = {
  address: {
    type: "address",
    default: "127.0.0.1:5634",
    help: "the address to listen on; port 0 picks a free port",
  },
} as const;

const {
  "max-connections": maxConnections,
  "idle-timeout": idleTimeout,
  "max-memory": maxMemory,
  "drain-timeout": drainTimeout,
} = limitFlags;

/**
 * The flags that both have. The other limits would do nothing: an echo has no frames, and nothing
 * is read while bytes wait to be written.
 */
export const servingFlags = {
  "max-connections": maxConnections,
  "idle-timeout": idleTimeout,
  "max-memory": maxMemory,
  "drain-timeout": drainTimeout,
  ...httpFlags,
  insecure: {
    ...accessFlags.insecure,
    group: "HTTP",
    requires: ["http"],
    help: "with --http, listen there even where other machines can connect",
  },
  ...serverTlsFlags,
} as const;
