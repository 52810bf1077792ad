/**
 * Flags that several commands share, to be spread into their tables. A command takes only those
 * that have an effect in it.
 *
 * @module
 */
import type { FlagTable } from "./spec.ts";

/** The flags of every command: `defineCommand` adds them, the runner acts on them. */
export const commonFlags = {
  color: {
    type: "boolean",
    default: true,
    group: "General",
    help: "print without colour, as if NO_COLOR were set; colour is only for terminals anyway",
  },
  debug: { type: "boolean", group: "General", help: "show the stack trace of an error" },
  help: { type: "boolean", short: "h", group: "General", help: "show this help" },
} as const satisfies FlagTable;

/** `--json`: the command prints by `context.out.json`. */
export const jsonFlag = {
  json: {
    type: "boolean",
    group: "Output",
    help:
      "print one JSON object per line; a run that an error breaks off ends with one of type error",
  },
} as const satisfies FlagTable;

/** `-q`: the runner silences `context.log.info` and progress. */
export const quietFlag = {
  quiet: {
    type: "boolean",
    short: "q",
    group: "Output",
    conflicts: ["verbose"],
    help: "print no messages except warnings and errors",
  },
} as const satisfies FlagTable;

/** `-v`: the runner lets `context.log.detail` through. */
export const verboseFlag = {
  verbose: { type: "boolean", short: "v", group: "Output", help: "print more details" },
} as const satisfies FlagTable;

/** `--log-format`, of servers: the runner writes messages so. */
export const logFormatFlag = {
  "log-format": {
    type: "choice",
    choices: ["text", "json"],
    default: "text",
    group: "Output",
    help: "write messages, and lines of connections and figures, as text or each as a JSON " +
      "object with time and level",
  },
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

/** How a client uses TLS. */
export const clientTlsFlags = {
  tls: { type: "boolean", group: "TLS", help: "connect with TLS" },
  "tls-ca": {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "TLS",
    requires: ["tls"],
    help: "also trust the certificate authorities in this file (PEM)",
  },
  "tls-name": {
    type: "string",
    placeholder: "NAME",
    group: "TLS",
    requires: ["tls"],
    help: "the name that the server's certificate must have, if it is not the host's",
  },
  insecure: {
    type: "boolean",
    group: "TLS",
    requires: ["tls"],
    conflicts: ["tls-ca"],
    help: "accept any certificate of the server, for tests: the connection is not safe",
  },
} as const satisfies FlagTable;

/** `--connect-timeout`, of clients that have no other limit for it. */
export const connectTimeoutFlag = {
  "connect-timeout": {
    type: "duration",
    default: "10s",
    min: 1,
    help: "give up connecting after this time",
  },
} as const satisfies FlagTable;
