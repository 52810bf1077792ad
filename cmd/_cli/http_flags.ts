import type { FlagTable } from "./spec.ts";

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
