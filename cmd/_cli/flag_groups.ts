/**
 * Flags that several commands have, to be spread into their tables. A command takes only those
 * that do something in it.
 *
 * @module
 */
import type { FlagTable } from "./spec.ts";

/** Every command has these; `defineCommand` adds them and the runner heeds them. */
export const commonFlags = {
  color: {
    type: "boolean",
    default: true,
    group: "General",
    help: "no colour, as with NO_COLOR set; there is none anyway where output is no terminal",
  },
  debug: { type: "boolean", group: "General", help: "show the stack trace of an error" },
  help: { type: "boolean", short: "h", group: "General", help: "show this help" },
} as const satisfies FlagTable;

/** `--json`: the command prints through `context.out.json`. */
export const jsonFlag = {
  json: { type: "boolean", group: "Output", help: "print one JSON object per line" },
} as const satisfies FlagTable;

/** `-q`: the runner then keeps `context.log.info` and progress silent. */
export const quietFlag = {
  quiet: {
    type: "boolean",
    short: "q",
    group: "Output",
    conflicts: ["verbose"],
    help: "print no messages but warnings and errors",
  },
} as const satisfies FlagTable;

/** `-v`: the runner then lets `context.log.detail` through. */
export const verboseFlag = {
  verbose: { type: "boolean", short: "v", group: "Output", help: "print more about what happens" },
} as const satisfies FlagTable;

/** `--json`, `-q` and `-v`. */
export const outputFlags = { ...jsonFlag, ...quietFlag, ...verboseFlag } as const;

/** `--tls-cert` and `--tls-key`, for a server. */
export const serverTlsFlags = {
  "tls-cert": {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "TLS",
    requires: ["tls-key"],
    help: "serve TLS with this certificate chain (PEM)",
  },
  "tls-key": {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "TLS",
    requires: ["tls-cert"],
    help: "the certificate's private key (PEM)",
  },
} as const satisfies FlagTable;

/** `--tls` and `--tls-ca`, for a client. */
export const clientTlsFlags = {
  tls: { type: "boolean", group: "TLS", help: "connect with TLS" },
  "tls-ca": {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "TLS",
    requires: ["tls"],
    help: "trust this certificate authority (PEM) besides the usual ones",
  },
} as const satisfies FlagTable;
