import type { Principal } from "../../lib/access/mod.ts";
import type { Address, Listener, ServerTls } from "../../lib/net/mod.ts";
import { listen } from "../../lib/net/listen.ts";
import {
  type Context,
  rereadOnHangup,
  serverTlsOf,
  warnOfOpenFiles,
  watchAuth,
} from "../_cli/mod.ts";
import type { ServerAuthenticator } from "../_cli/server_authenticator.ts";
import type { ServerTlsFlags } from "../_cli/tls_flags.ts";
import { recordConnections, type RecordValues } from "../_capture/recording.ts";
import type { HttpFlagValues, HttpSurroundings } from "./http_flag_values.ts";
import type { HttpSide } from "./http_side.ts";
import { openHttp } from "./open_http.ts";

/** What a server is whose clients have rights. */
export interface EntranceOptions extends Pick<HttpSurroundings, "failure" | "lack"> {
  /** The command's name. */
  readonly command: string;
  /** The one of `--auth`. */
  readonly authenticator: ServerAuthenticator | undefined;
  /** Who may read the figures over HTTP. */
  readonly may: (principal: Principal) => boolean;
}

/** Where the clients of a server come in. Dispose of it when the server has ended. */
export interface Entrance extends AsyncDisposable {
  /** What is to be served: what comes to the address, and the WebSockets of the HTTP side. */
  readonly listener: Listener;
  /** `undefined` without `--http`. */
  readonly http: HttpSide | undefined;
}

/**
 * Listens, also for HTTP, with the certificate, the users and the recording that the flags ask for.
 * What they are in files is read again when the operator asks for it.
 */
export async function openEntrance(
  address: Address,
  flags: HttpFlagValues & ServerTlsFlags & RecordValues & {
    readonly "watch-auth": boolean;
    readonly "max-connections": number;
  },
  given: ReadonlySet<string>,
  { command, authenticator, ...surroundings }: EntranceOptions,
  context: Context,
): Promise<Entrance> {
  await using opened = new AsyncDisposableStack();
  const tls = await serverTlsOf(flags, context);
  const http = await openHttp(flags, { tls, authenticator, ...surroundings }, context);
  if (http) opened.use(http);
  const listener = opened.use(await listen(address, { tls }));
  await authenticator?.warn(listener.address, listener.secure, context);
  const renewTls = async (tls: ServerTls) => {
    await listener.handshakes!.renew(tls);
    await http?.renewTls(tls);
  };
  rereadOnHangup({ flags, renewTls, authenticator }, context);
  opened.use(watchAuth(authenticator, flags, context));
  await warnOfOpenFiles(flags, given, context);
  const joined = http?.join(listener) ?? listener;
  const served = opened.use(await recordConnections(joined, flags, command, context));
  const all = opened.move();
  return { http, listener: served.listener, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
