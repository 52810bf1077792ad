import type { Address } from "./address.ts";
import { listen, type Listener, type ListenOptions } from "./listen.ts";

/** What a server serves on: a listener, which it takes over, or where to listen. */
export type ServeTarget = Listener | Address | string;

/** Makes a server that takes over the listener. */
type Start<S, O> = (listener: Listener, options: Omit<O, keyof ListenOptions>) => S;

/** Starts on a listener, at once. */
export function serveOn<S, O extends ListenOptions>(
  target: Listener,
  options: O,
  start: Start<S, O>,
): S;
/** Listens, then starts. */
export function serveOn<S, O extends ListenOptions>(
  target: Address | string,
  options: O,
  start: Start<S, O>,
): Promise<S>;
/** Does either. */
export function serveOn<S, O extends ListenOptions>(
  target: ServeTarget,
  options: O,
  start: Start<S, O>,
): S | Promise<S>;
/**
 * What every role's serve function does with its first argument. On a listener the server starts at
 * once, and the result is the server. For an address, or the text of one, the result is a promise
 * of it.
 *
 * @param options Those of the server; those of {@linkcode listen} are for an address alone.
 * @param start Makes the server of the options that are not for listening. If it throws, a listener
 * that was made here is closed.
 * @throws {TypeError} if a listener is given together with options of `listen`.
 */
export function serveOn<S, O extends ListenOptions>(
  target: ServeTarget,
  options: O,
  start: Start<S, O>,
): S | Promise<S> {
  if (!isListener(target)) return listenAndStart(target, options, start);
  for (const name of ["tls", "reusePort"] as const) {
    // Ignoring `tls` would serve in the clear what was meant to be secret.
    if (options[name]) {
      throw new TypeError(`Cannot use ${name} with a listener: give it to listen()`);
    }
  }
  return start(target, options);
}

async function listenAndStart<S, O extends ListenOptions>(
  target: Address | string,
  { tls, reusePort, ...options }: O,
  start: Start<S, O>,
): Promise<S> {
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
