import { assertEquals, assertInstanceOf } from "@std/assert";
import { reported, ReportedPromise } from "../../lib/base/reported_promise.ts";
import { unhandledRejections } from "../support/unhandled_rejections.ts";

const FAILURE = new Error("no");

/** Ways of a program to handle a rejection. */
const HANDLED: Record<string, (promise: Promise<void>) => Promise<unknown>> = {
  "await": async (promise) => {
    try {
      return await promise;
    } catch (error) {
      return error;
    }
  },
  "catch()": (promise) => promise.catch((error) => error),
  "then() with two functions": (promise) => promise.then(undefined, (error) => error),
  "finally()": (promise) => promise.finally(() => {}).catch((error) => error),
  "an async function that returns it": (promise) => {
    const later = async () => {
      await undefined;
      return promise;
    };
    return later().catch((error) => error);
  },
  "Promise.all()": (promise) => Promise.all([promise]).catch((error) => error),
  "Promise.race()": (promise) => Promise.race([promise]).catch((error) => error),
  "Promise.allSettled()": async (promise) => {
    const [result] = await Promise.allSettled([promise]);
    return (result as PromiseRejectedResult).reason;
  },
};

Deno.test("a rejection that nobody handles is reported, and no other", async () => {
  const told: unknown[] = [];
  const report = (error: unknown) => void told.push(error);
  const count = await unhandledRejections(async () => {
    for (const [name, handle] of Object.entries(HANDLED)) {
      assertEquals(await handle(reported(Promise.reject(FAILURE), report)), FAILURE, name);
      const { promise, reject } = Promise.withResolvers<void>();
      const result = handle(reported(promise, report));
      reject(FAILURE);
      assertEquals(await result, FAILURE, name);
    }
    assertEquals(told, []);
    reported(Promise.reject(FAILURE), report);
    const late = Promise.withResolvers<void>();
    const kept = reported(late.promise, report);
    setTimeout(() => late.reject(FAILURE));
    await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals(told, [FAILURE, FAILURE]);
    // Who comes after that gets it all the same.
    assertEquals(await kept.catch((error) => error), FAILURE);
  });
  assertEquals([count, told.length], [0, 2]);
});

Deno.test("a reported promise resolves as another does", async () => {
  const told: unknown[] = [];
  const promise = reported(Promise.resolve(5), (error) => told.push(error));
  assertInstanceOf(promise, ReportedPromise);
  assertEquals(await promise, 5);
  assertEquals(told, []);
});
