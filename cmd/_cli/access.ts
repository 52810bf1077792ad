import { importLater } from "../../lib/base/import_later.ts";
import { type Address, formatAddress, isLoopback } from "../../lib/net/address.ts";
import type { Context } from "./command.ts";
import type { ServerAuthenticator } from "./server_authenticator.ts";
import type { FlagTable } from "./spec.ts";
import { UsageError } from "./exit_code.ts";

/** Who may use a server. */
export const accessFlags = {
  auth: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Access",
    help: "read from this JSON file who may connect, and what each may do; SIGHUP reads it again",
  },
  "watch-auth": {
    type: "boolean",
    group: "Access",
    requires: ["auth"],
    help: "read the --auth file again whenever it changes",
  },
  insecure: {
    type: "boolean",
    group: "Access",
    help: "without --auth, listen even where other machines can connect",
  },
} as const satisfies FlagTable;

/** What a client logs in with, at a server that asks for it. */
export const credentialFlags = {
  user: {
    type: "string",
    env: "SOCKTOOL_USER",
    group: "Access",
    help: "the user's name, if the server asks for one",
  },
  password: {
    type: "string",
    env: "SOCKTOOL_PASSWORD",
    group: "Access",
    help: "the user's password; other users of this machine can see it in the list of processes",
  },
  token: {
    type: "string",
    env: "SOCKTOOL_TOKEN",
    group: "Access",
    conflicts: ["user", "password"],
    help: "a token, instead of a user and a password",
  },
} as const satisfies FlagTable;

/** Refuses to serve other machines where nobody said that they may connect. */
export function checkAccess(
  address: Address,
  flags: { readonly auth?: string | undefined; readonly insecure: boolean },
): void {
  if (flags.auth !== undefined || flags.insecure || isLoopback(address)) return;
  const who = "auth" in flags ? "who may with --auth FILE, or " : "";
  throw new UsageError(
    `other machines can connect to ${formatAddress(address)}: say ${who}that anybody may with ` +
      "--insecure",
  );
}

/** The authenticator of `--auth FILE`; `undefined` without it. */
export async function authenticatorOf(
  flags: { readonly auth: string | undefined },
  context: Pick<Context, "log">,
): Promise<ServerAuthenticator | undefined> {
  if (flags.auth === undefined) return undefined;
  const { ServerAuthenticator } = await importLater<typeof import("./server_authenticator.ts")>(
    new URL("./server_authenticator.ts", import.meta.url),
  );
  return await ServerAuthenticator.open(flags.auth, context);
}

/** The request by which a client says who it is; `undefined` if it does not. */
export function helloOf(
  { user, password, token }: {
    readonly user: string | undefined;
    readonly password: string | undefined;
    readonly token: string | undefined;
  },
): object | undefined {
  if (user === undefined && token === undefined) return undefined;
  return { action: "hello", user, password, token };
}
