import { PeriodicLook } from "../../lib/base/periodic_look.ts";
import type { ServerTls } from "../../lib/net/mod.ts";
import type { Context } from "./command.ts";
import { describeError } from "./describe_error.ts";
import type { Log } from "./log.ts";
import type { ServerAuthenticator } from "./server_authenticator.ts";
import { type ServerTlsFlags, serverTlsOf } from "./tls_flags.ts";

/** What messages call it. */
const AUTH_FILE = "the --auth file";

/** What a server can read again. */
export interface RereadOptions {
  readonly flags: ServerTlsFlags;
  /** Has the server use another certificate for clients that come from then on. */
  readonly renewTls: (tls: ServerTls) => Promise<void>;
  /** The one of `--auth`. */
  readonly authenticator?: ServerAuthenticator | undefined;
}

/**
 * Reads a server's `--auth` file and certificate again when its operator asks for it (SIGHUP). A file
 * that cannot be used is told, and what it said before stays.
 */
export function rereadOnHangup(
  options: RereadOptions,
  { log, onHangup, manager }: Context,
): void {
  const { flags, renewTls, authenticator } = options;
  const files: Record<string, () => Promise<void>> = {};
  if (authenticator) files[AUTH_FILE] = () => authenticator.reread();
  if (flags["tls-cert"] !== undefined) {
    files["the certificate"] = async () => await renewTls((await serverTlsOf(flags, { log }))!);
  }
  const rereadAll = async () => {
    manager?.reloading();
    if (Object.keys(files).length === 0) log.info("there is no file to read again");
    for (const [what, reread] of Object.entries(files)) await tellOf(what, reread, log);
    manager?.reloaded();
  };
  // One after the other: otherwise the first of two signals might take effect last.
  let last = Promise.resolve();
  onHangup(() => last = last.then(rereadAll));
}

/** How often `--watch-auth` looks, in milliseconds. */
const WATCH_MS = 500;

/** Reads a server's `--auth` file again whenever it has changed, until disposed of. */
export function watchAuth(
  authenticator: ServerAuthenticator | undefined,
  flags: { readonly "watch-auth": boolean },
  { log }: Pick<Context, "log">,
): Disposable {
  let isLooking = false;
  const look = async () => {
    if (isLooking || !authenticator) return;
    isLooking = true;
    if (await authenticator.hasChanged()) {
      await tellOf(AUTH_FILE, () => authenticator.reread(), log);
    }
    isLooking = false;
  };
  const isAsked = authenticator !== undefined && flags["watch-auth"];
  const looking = new PeriodicLook(isAsked ? WATCH_MS : Infinity, () => void look());
  looking.start();
  return looking;
}

/** Reads a file again, and says what came of it. */
async function tellOf(what: string, reread: () => Promise<void>, log: Log): Promise<void> {
  try {
    await reread();
    log.info(`${what} was read again`);
  } catch (error) {
    log.warn(`${describeError(error)}; ${what} as it was stays in use`);
  }
}
