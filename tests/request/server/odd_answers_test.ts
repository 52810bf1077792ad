/** What handlers return that is no answer, or fails while it is looked at: the connection goes on. */
import { assertEquals } from "@std/assert";
import { connectRequests, serveRequests } from "../../../lib/request/mod.ts";
import type { ReplyInit } from "../../../lib/request/mod.ts";
import { deadline } from "../../support/deadline.ts";

function fail(): never {
  throw new Error("odd");
}

type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void;

const thenable = (then: Then) => ({ then });

/** What is returned, and what the client gets: an answer, or the code of an error. */
const ANSWERS: Readonly<Record<string, readonly [make: () => unknown, gets: string]>> = {
  "a then that throws": [() => thenable(fail), "internal"],
  "a then that cannot be read": [
    () => Object.defineProperty({}, "then", { get: fail }),
    "internal",
  ],
  "a then that rejects": [() => thenable((_, reject) => reject("odd")), "internal"],
  "a then that answers at once": [() => thenable((resolve) => resolve("now")), "now"],
  "a then that answers twice, then rejects": [
    () =>
      thenable((resolve, reject) => {
        resolve("first");
        resolve("second");
        reject(new Error("third"));
      }),
    "first",
  ],
  "a then that answers twice, later": [
    () =>
      thenable((resolve) => {
        for (const text of ["first", "second"]) queueMicrotask(() => resolve(text));
      }),
    "first",
  ],
  "content that cannot be read": [
    () => Object.defineProperty({}, "content", { get: fail }),
    "internal",
  ],
  "the same by a promise": [
    () => Promise.resolve(Object.defineProperty({}, "content", { get: fail })),
    "internal",
  ],
  "a proxy that refuses all": [() => new Proxy({}, { get: fail, has: fail }), "internal"],
  "a stream that is none": [
    () => ({ header: { "content-length": 1 }, content: { getReader: fail } }),
    "internal",
  ],
  "the same with more": [
    () => ({ header: { "content-length": 1 }, content: { getReader: fail, cancel: fail } }),
    "internal",
  ],
};

for (const [what, [make, gets]] of Object.entries(ANSWERS)) {
  Deno.test(`a handler that returns ${what}: others are answered`, async () => {
    const failures: unknown[] = [];
    await using server = await serveRequests("127.0.0.1:0", (request) => {
      return request.text() === "odd" ? make() as ReplyInit : request.text();
    }, { observer: { requestFailed: (_, error) => failures.push(error) } });
    await using client = await connectRequests(server.address);
    const texts = await deadline(Promise.all(
      ["before", "odd", "behind", "odd", "last"].map((text) =>
        client.request(text).then((reply) => reply.text(), (error) => error.code)
      ),
    ));
    assertEquals(texts, ["before", gets, "behind", gets, "last"]);
    assertEquals(failures.length, gets === "internal" ? 2 : 0);
  });
}
