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

/** The HTTP side of a server. */
export const httpFlags = {
  http: {
    type: "address",
    placeholder: "ADDRESS",
    group: "HTTP",
    help:
      "serve pages, figures (/metrics) and health (/healthz, /readyz) on this address too; port " +
      "0 picks a free port",
  },
  "http-host": {
    type: "string",
    placeholder: "NAME",
    repeat: true,
    group: "HTTP",
    requires: ["http"],
    help: "answer to this host name too; by default to the address that was connected to and to " +
      "localhost",
  },
  "allow-origin": {
    type: "string",
    placeholder: "ORIGIN",
    repeat: true,
    group: "HTTP",
    requires: ["http"],
    help: "let pages of this origin, such as https://example.com, ask and connect too",
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
