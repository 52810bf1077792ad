/**
 * Lets the worker handle messages, such as a client's write. The first call of `setTimeout` would make
 * Deno load its timers of Node, which takes 8 ms of CPU; see `PeriodicLook`.
 */
export function yieldToMessages(): Promise<void> {
  return new Promise((resolve) => {
    AbortSignal.timeout(0).addEventListener("abort", () => resolve(), { once: true });
  });
}
