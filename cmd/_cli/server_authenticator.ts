import {
  type Authenticator,
  AuthFileError,
  type AuthTable,
  type Credentials,
  FileAuthenticator,
  type LoginAttempt,
  parseAuthFile,
  type Principal,
} from "../../lib/access/mod.ts";
import { type Address, formatAddress, isLoopback } from "../../lib/net/mod.ts";
import { PUBSUB_RIGHTS } from "../../lib/pubsub/broker/routing/rights.ts";
import { SEARCH_RIGHTS } from "../../lib/search/search_rights.ts";
import type { Context } from "./command.ts";
import { FailedLogins } from "./failed_logins.ts";

/** Permission of everybody to read a file. */
const OTHERS_READ = 0o004;

/** The `--auth FILE` of a server: it can be read again, and failed logins are told. */
export class ServerAuthenticator implements Authenticator, Disposable {
  readonly #path: string;
  readonly #failed: FailedLogins;
  readonly #inner: FileAuthenticator;
  /** The state of the file that was read last, and the one that was seen last. */
  #readStamp: string;
  #seenStamp: string;
  #rereading: Promise<void> = Promise.resolve();

  private constructor(
    path: string,
    stamp: string,
    inner: FileAuthenticator,
    { log }: Pick<Context, "log">,
  ) {
    this.#path = path;
    this.#inner = inner;
    this.#readStamp = this.#seenStamp = stamp;
    this.#failed = new FailedLogins(log);
  }

  /** Reads the file. */
  static async open(path: string, context: Pick<Context, "log">): Promise<ServerAuthenticator> {
    const stamp = await stampOf(path);
    return new ServerAuthenticator(
      path,
      stamp,
      new FileAuthenticator(await readTable(path)),
      context,
    );
  }

  /**
   * Reads the file again; clients that are connected get the rights that it gives them now. Rejects
   * if it cannot be used; all stays as it was then.
   */
  reread(): Promise<void> {
    // One after the other: otherwise the file that was read first might take effect last.
    const rereading = this.#rereading.then(async () => {
      this.#readStamp = await stampOf(this.#path);
      this.#inner.update(await readTable(this.#path));
    });
    this.#rereading = rereading.catch(() => {});
    return rereading;
  }

  /**
   * Whether the file is to be read again: it is not the one that was read, and it is the same as at
   * the last call. A file that changes between two calls is still being written.
   */
  async hasChanged(): Promise<boolean> {
    const stamp = await stampOf(this.#path);
    const isStill = stamp === this.#seenStamp;
    this.#seenStamp = stamp;
    return isStill && stamp !== this.#readStamp;
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

  /** Tells no more of failed logins. */
  [Symbol.dispose](): void {
    this.#failed[Symbol.dispose]();
  }

  async authenticate(
    credentials: Credentials,
    attempt: LoginAttempt = {},
  ): Promise<Principal | undefined> {
    const principal = await this.#inner.authenticate(credentials, attempt);
    if (!principal) this.#failed.add(credentials, attempt.peer ?? "an unknown address");
    return principal;
  }
}

/** What tells two states of a file apart, whether it was written to or replaced. */
async function stampOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtime, ctime } = await Deno.stat(path);
    return JSON.stringify([dev, ino, size, mtime?.getTime(), ctime?.getTime()]);
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

/** One file may serve several programs: it may have the rights of all of them. */
async function readTable(path: string): Promise<AuthTable> {
  const text = await Deno.readTextFile(path);
  try {
    return parseAuthFile(text, { ...PUBSUB_RIGHTS, ...SEARCH_RIGHTS });
  } catch (cause) {
    if (!(cause instanceof AuthFileError)) throw cause;
    throw new Error(`${path}: ${cause.message}`, { cause });
  }
}
