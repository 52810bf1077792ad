/**
 * Ends the timers of the official client that were set meanwhile, when it is disposed. A client that is closed
 * while it makes a consumer anew in vain sets one of up to 5 s then, which nobody else can end.
 */
export function clientTimers(): Disposable {
  const { setTimeout } = globalThis;
  const timers: ReturnType<typeof setTimeout>[] = [];
  globalThis.setTimeout = Object.assign((...given: Parameters<typeof setTimeout>) => {
    const timer = setTimeout(...given);
    if (new Error().stack!.includes("/@nats-io/")) timers.push(timer);
    return timer;
  }, setTimeout);
  return {
    [Symbol.dispose]() {
      globalThis.setTimeout = setTimeout;
      timers.forEach((timer) => clearTimeout(timer));
    },
  };
}
