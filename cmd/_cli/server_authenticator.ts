import type { Authenticator, Credentials, LoginAttempt, Principal } from "../../lib/access/mod.ts";
import { type Address, formatAddress, isLoopback } from "../../lib/net/mod.ts";
import type { Context } from "./command.ts";
import { FailedLogins } from "./failed_logins.ts";

/** Permission of everybody to read a file. */
const OTHERS_READ = 0o004;

/** The `--auth FILE` of a server: it can be read again, and failed logins are told. */
export class ServerAuthenticator implements Authenticator {
  readonly #path: string;
  readonly #failed: FailedLogins;
  #current: Authenticator;

  private constructor(path: string, current: Authenticator, { log }: Pick<Context, "log">) {
    this.#path = path;
    this.#current = current;
    this.#failed = new FailedLogins(log);
  }

  /** Reads the file. */
  static async open(path: string, context: Pick<Context, "log">): Promise<ServerAuthenticator> {
    return new ServerAuthenticator(path, await read(path), context);
  }

  /**
   * Reads the file again, for the logins to come: clients that are connected keep the rights that
   * they have. Rejects if it cannot be used; the old one stays then.
   */
  async reread(): Promise<void> {
    this.#current = await read(this.#path);
  }

  /** Warns if passwords cross a network unencrypted, and if others can read the file. */
  async warn(address: Address, isSecure: boolean, { log }: Pick<Context, "log">): Promise<void> {
    if (!isSecure && !isLoopback(address)) {
      log.warn(
        `passwords and tokens come unencrypted to ${formatAddress(address)}: ` +
          "give --tls-cert and --tls-key",
      );
    }
    const { mode } = await Deno.stat(this.#path);
    // Windows has no such permissions.
    if (mode !== null && Deno.build.os !== "windows" && (mode & OTHERS_READ) !== 0) {
      log.warn(`${this.#path}: every user of this machine can read it (chmod o= takes that away)`);
    }
  }

  async authenticate(
    credentials: Credentials,
    attempt: LoginAttempt = {},
  ): Promise<Principal | undefined> {
    const principal = await this.#current.authenticate(credentials, attempt);
    if (!principal) this.#failed.add(credentials, attempt.peer ?? "an unknown address");
    return principal;
  }
}

/** One file may serve several programs: it may have the rights of all of them. */
async function read(path: string): Promise<Authenticator> {
  // Loaded only where they are needed: every command starts with this file.
  const { AuthFileError, FileAuthenticator, parseAuthFile } = await import(
    "../../lib/access/mod.ts"
  );
  const { PUBSUB_RIGHTS } = await import("../../lib/pubsub/broker/routing/rights.ts");
  const { SEARCH_RIGHTS } = await import("../../lib/search/search_rights.ts");
  const text = await Deno.readTextFile(path);
  try {
    return new FileAuthenticator(parseAuthFile(text, { ...PUBSUB_RIGHTS, ...SEARCH_RIGHTS }));
  } catch (cause) {
    if (!(cause instanceof AuthFileError)) throw cause;
    throw new Error(`${path}: ${cause.message}`, { cause });
  }
}
