/**
 * What stands for `Promise.withResolvers` in the npm package: Node.js 20 has none. esbuild puts it
 * into each file that needs it.
 *
 * @module
 */
export function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: PromiseWithResolvers<T>["resolve"];
  let reject!: PromiseWithResolvers<T>["reject"];
  const promise = new Promise<T>((...settle) => [resolve, reject] = settle);
  return { promise, resolve, reject };
}
