import { importLater } from "../../lib/base/import_later.ts";
import type { ClientTls, ServerTls } from "../../lib/net/mod.ts";
import type { Context } from "./command.ts";
import type { FlagTable } from "./spec.ts";
import type { ClientTlsFlags } from "./tls_files.ts";

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

/** Flags that name a server's certificate. */
export interface ServerTlsFlags {
  readonly "tls-cert": string | undefined;
  readonly "tls-key": string | undefined;
  readonly "max-connections": number;
}

/**
 * Reads the files that `--tls-cert` and `--tls-key` name; `undefined` without them. Warns of a
 * certificate that clients will refuse. As many handshakes may be under way as files and connections
 * permit.
 *
 * @throws {TlsFileError} if they hold no certificate and key that belong together.
 */
export async function serverTlsOf(
  flags: ServerTlsFlags,
  context: Pick<Context, "log">,
): Promise<ServerTls | undefined> {
  const { "tls-cert": cert, "tls-key": key } = flags;
  if (cert === undefined || key === undefined) return undefined;
  const { readServerTls } = await importFiles();
  return await readServerTls({ cert, key }, flags["max-connections"], context);
}

/**
 * What the flags of a client's TLS ask for; `undefined` without `--tls`. Warns of `--insecure`.
 *
 * @throws {TlsFileError} if the file of `--tls-ca` holds no certificate, or one that cannot be read.
 * @throws {UsageError} if `--tls-name` is no host name.
 */
export async function clientTlsOf(
  flags: ClientTlsFlags,
  context: Pick<Context, "log">,
): Promise<ClientTls | undefined> {
  if (!flags.tls) return undefined;
  const { readClientTls } = await importFiles();
  return await readClientTls(flags, context);
}

/** What reads certificates. Most servers and clients have none. */
function importFiles(): Promise<typeof import("./tls_files.ts")> {
  return importLater(new URL("./tls_files.ts", import.meta.url));
}
