import type { Address } from "./address.ts";
import { checkGiven, checkOptions } from "../base/option_kinds.ts";
import { listen, type ListenOptions } from "./listen.ts";
import type { Listener } from "./listener.ts";

/** What a server serves on: a listener, which the server closes, or an address to listen on. */
export type ServeTarget = Listener | Address | string;

/** Makes a server that closes the listener when it ends. */
export type ServerStart<S, O> = (listener: Listener, options: Omit<O, keyof ListenOptions>) => S;

/** Starts a server on a listener. */
export function serveOn<S, O extends ListenOptions>(
  target: Listener,
  options: O,
  start: ServerStart<S, O>,
): S;
/** Listens on an address, and starts a server there. */
export function serveOn<S, O extends ListenOptions>(
  target: Address | string,
  options: O,
  start: ServerStart<S, O>,
): Promise<S>;
/** Does either, for functions that pass their own argument on. */
export function serveOn<S, O extends ListenOptions>(
  target: ServeTarget,
  options: O,
  start: ServerStart<S, O>,
): S | Promise<S>;
/**
 * Gives every role's serve function its two forms. With a listener it returns the server at once.
 * With an address, or its text, it listens there and returns a promise of the server.
 *
 * @param options The server's options. With an address, also those of {@linkcode listen}.
 * @param start Makes the server, from the options without those of `listen`. If it throws, the
 * listener that was made here is closed.
 * @throws {TypeError} if options of `listen` are given with a listener, or it is one of Deno's.
 */
export function serveOn<S, O extends ListenOptions>(
  target: ServeTarget,
  options: O,
  start: ServerStart<S, O>,
): S | Promise<S> {
  if (!isListener(target)) return listenAndStart(target, options, start);
  // Deno's own has none; it would be found out when the server ends.
  checkGiven("listener.address", target.address, "object");
  checkOptions(options, {});
  for (const name of ["tls", "reusePort"] as const) {
    // If `tls` were ignored, secrets would be sent in the clear.
    if (options[name]) {
      throw new TypeError(`Cannot use ${name} with a listener: give it to listen()`);
    }
  }
  return start(target, options);
}

async function listenAndStart<S, O extends ListenOptions>(
  target: Address | string,
  allOptions: O,
  start: ServerStart<S, O>,
): Promise<S> {
  checkOptions(allOptions, {});
  const { tls, reusePort, ...options } = allOptions;
  const listener = await listen(target, { tls, reusePort });
  try {
    return start(listener, options);
  } catch (error) {
    listener.close();
    throw error;
  }
}

function isListener(target: ServeTarget): target is Listener {
  return typeof target === "object" && target !== null && "accept" in target;
}
