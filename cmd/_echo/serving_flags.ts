import { limitFlags, serverTlsFlags } from "../_cli/mod.ts";

/** What `echo-server` and `multiconn-server` both listen on. */
export const listenArgument = {
  address: {
    type: "address",
    default: "127.0.0.1:5634",
    help: "where to listen; port 0 takes a free one",
  },
} as const;

const {
  "max-connections": maxConnections,
  "idle-timeout": idleTimeout,
  "drain-timeout": drainTimeout,
} = limitFlags;

/** The flags that both have. Echo has no frames, and never has bytes pending beside a read. */
export const servingFlags = {
  "max-connections": maxConnections,
  "idle-timeout": idleTimeout,
  "drain-timeout": drainTimeout,
  ...serverTlsFlags,
} as const;
