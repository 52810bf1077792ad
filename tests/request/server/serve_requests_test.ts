import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import {
  EncodedFrame,
  encodeFrame,
  type Frame,
  type OutgoingFrame,
} from "../../../lib/frame/mod.ts";
import { errorReply, RequestError } from "../../../lib/request/mod.ts";
import { type ReplyInit, serveRequests } from "../../../lib/request/mod.ts";
import type { Peer } from "../../../lib/net/mod.ts";
import { deadline, pause, until } from "../../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../../support/peers.ts";

const say = (content: string): OutgoingFrame => ({ content });

const codeOf = async (client: RawClient) =>
  (await client.json() as { error: { code: string } }).error.code;

Deno.test("each request is answered, in order, on one connection", async () => {
  await using server = serveRequests(
    await listenLocally(),
    (request) => say(request.text().toUpperCase()),
  );
  using client = await RawClient.connect(server.address);
  for (const word of ["a", "", "with ünïcödé 🐰", "x".repeat(100_000)]) {
    await client.send(say(word));
    assertEquals((await client.answer())?.text(), word.toUpperCase());
  }
});

Deno.test("requests that are pipelined are answered in order, however they are cut", async () => {
  await using server = serveRequests(await listenLocally(), (request) => say(request.text()));
  using client = await RawClient.connect(server.address);
  const words = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(i % 50, "."));
  const sending = (async () => {
    const bytes = words.map((word) => encodeFrame(say(word)));
    const all = new Uint8Array(await new Blob(bytes).arrayBuffer());
    for (let at = 0, size = 1; at < all.length; at += size, size = size % 997 + 131) {
      await client.send(all.subarray(at, at + size));
    }
  })();
  for (const word of words) assertEquals((await client.answer())?.text(), word);
  await sending;
});

Deno.test("a client may close its sending half and reads all of 1,000 answers", async () => {
  for (const kind of ["at once", "later"]) {
    await using server = serveRequests(await listenLocally(), (request) => {
      const reply = say(request.text().repeat(100));
      return kind === "at once" ? reply : Promise.resolve().then(() => reply);
    });
    using client = await RawClient.connect(server.address);
    for (let i = 0; i < 1_000; i++) await client.send(say(`${i};`));
    await client.closeWrite();
    const answers = await client.answers();
    assertEquals(answers.length, 1_000);
    answers.forEach((answer, i) => assertEquals(answer.text(), `${i};`.repeat(100)));
    assertEquals(client.error, undefined);
  }
});

Deno.test("answers that are ready out of order come in order", async () => {
  const ready: (() => void)[] = [];
  await using server = serveRequests(
    await listenLocally(),
    (request): ReplyInit | Promise<ReplyInit> => {
      const text = request.text();
      if (text.startsWith("now")) return say(text);
      return new Promise((resolve) => ready.push(() => resolve(say(text))));
    },
  );
  using client = await RawClient.connect(server.address);
  await client.send(...["a", "now 1", "b", "now 2", "c", "now 3"].map(say));
  await until(() => ready.length === 3);
  ready[2]!();
  ready[1]!();
  const first = client.answer();
  ready[0]!();
  assertEquals((await first)?.text(), "a");
  for (const word of ["now 1", "b", "now 2", "c", "now 3"]) {
    assertEquals((await client.answer())?.text(), word);
  }
});

Deno.test("no more requests of a connection are at work than maxPipelined says", async () => {
  let working = 0;
  let most = 0;
  const waiting: (() => void)[] = [];
  await using server = serveRequests(await listenLocally(), async (request) => {
    most = Math.max(most, ++working);
    await new Promise<void>((resolve) => waiting.push(resolve));
    working--;
    return say(request.text());
  }, { maxPipelined: 3 });
  using client = await RawClient.connect(server.address);
  for (let i = 0; i < 20; i++) await client.send(say(`${i}`));
  let answered = 0;
  const releasing = until(() => {
    // The youngest first, one at a time: what is done makes no room before its turn has come.
    waiting.pop()?.();
    return answered === 20;
  });
  for (; answered < 20; answered++) {
    assertEquals((await client.answer())?.text(), `${answered}`);
  }
  await releasing;
  assertEquals(most, 3);
});

Deno.test("one connection's work does not hold up another's", async () => {
  const never = new Promise<ReplyInit>(() => {});
  await using server = serveRequests(
    await listenLocally(),
    (request) => request.text() === "stuck" ? never : say("quick"),
    { drainTimeoutMs: 0 },
  );
  using stuck = await RawClient.connect(server.address);
  for (let i = 0; i < 200; i++) await stuck.send(say("stuck"));
  using quick = await RawClient.connect(server.address);
  await quick.send(say("?"));
  assertEquals((await quick.answer())?.text(), "quick");
});

Deno.test("a handler that fails is answered for, and the connection goes on", async () => {
  const failures: Record<string, (request: Frame) => ReplyInit | Promise<ReplyInit>> = {
    throws: () => {
      throw new Error("a secret");
    },
    rejects: () => Promise.reject(new Error("a secret")),
    "throws nothing": () => {
      throw undefined;
    },
    "rejects with nothing": () => Promise.reject(),
    "returns a wrong length": () => ({ header: { "content-length": 7 }, content: "x" }),
    "returns a large header": () => ({ header: { x: "y".repeat(70_000) } }),
    "returns a wrong encoding": () => ({ header: { "content-encoding": "latin1" }, content: "é" }),
    "returns a circle": () => {
      const circle: Record<string, unknown> = {};
      circle["circle"] = circle;
      return { header: { circle } };
    },
  };
  const observer = new Recorder();
  await using server = serveRequests(
    await listenLocally(),
    (request) => failures[request.text()]?.(request) ?? say("fine"),
    { observer },
  );
  using client = await RawClient.connect(server.address);
  for (const name of Object.keys(failures)) {
    await client.send(say(name), say("other"));
    assertEquals(await client.json(), {
      result: "Error: The server failed to answer the request",
      error: { code: "internal", message: "The server failed to answer the request" },
    }, name);
    assertEquals((await client.answer())?.text(), "fine", name);
  }
  assertEquals(observer.requestErrors.length, Object.keys(failures).length);
  assertEquals(observer.frameErrors, []);
});

Deno.test("what is no answer is the server's failure, and the observer is told what was given", async () => {
  class Entry {}
  const wrong: [unknown, string][] = [
    [undefined, "undefined"],
    [null, "null"],
    [5, "the number 5"],
    [true, "the boolean true"],
    [5n, "a bigint"],
    [() => "x", "a function"],
    [{}, "an object"],
    [{ result: "x" }, "an object"],
    [["x"], "an array"],
    [new Entry(), "an object of the class Entry"],
    [
      new RequestError("x", "thrown is right, returned is not"),
      "an object of the class RequestError",
    ],
    [new ArrayBuffer(8), "an object of the class ArrayBuffer"],
    [ReadableStream.from([new Uint8Array(1)]), "an object of the class ReadableStream"],
  ];
  for (const when of ["at once", "later", "at once, behind another", "later, behind another"]) {
    const observer = new Recorder();
    const first = Promise.withResolvers<ReplyInit>();
    await using server = serveRequests(await listenLocally(), (request) => {
      const text = request.text();
      if (text === "first") return first.promise;
      const value = text === "fine" ? "fine" : wrong[Number(text)]![0] as ReplyInit;
      return when.startsWith("later") ? Promise.resolve().then(() => value) : value;
    }, { observer });
    using client = await RawClient.connect(server.address);
    const behind = when.endsWith("another");
    if (behind) await client.send(say("first"));
    for (const i of wrong.keys()) await client.send(say(`${i}`), say("fine"));
    if (behind) {
      await until(() => observer.requestErrors.length === wrong.length);
      first.resolve("first");
      assertEquals((await client.answer())?.text(), "first");
    }
    for (const [, name] of wrong) {
      assertEquals(await codeOf(client), "internal", `${name} ${when}`);
      assertEquals((await client.answer())?.text(), "fine", `${name} ${when}`);
    }
    assertEquals(observer.requestErrors.length, wrong.length);
    for (const [i, [, name]] of wrong.entries()) {
      const error = observer.requestErrors[i] as TypeError;
      assertInstanceOf(error, TypeError);
      assert(error.message.startsWith(`Cannot send ${name} as a frame`), error.message);
    }
  }
});

Deno.test("text and bytes are the content of an answer, at once and later", async () => {
  const bytes = encodeFrame({ content: "looks like a frame" });
  const answers: Record<string, [ReplyInit, content: Uint8Array, type: string]> = {
    text: ["ünïcödé", new TextEncoder().encode("ünïcödé"), "text/plain"],
    "no text": ["", new Uint8Array(0), "text/plain"],
    bytes: [bytes, bytes, "application/octet-stream"],
    frame: [{ header: { "content-type": "x" }, content: bytes }, bytes, "x"],
    encoded: [
      EncodedFrame.from(bytes),
      new TextEncoder().encode("looks like a frame"),
      "text/plain",
    ],
  };
  await using server = serveRequests(await listenLocally(), (request) => {
    const [when, what] = request.text().split(" ", 2) as [string, string];
    const answer = answers[what.replace("-", " ")]![0];
    return when === "now" ? answer : Promise.resolve().then(() => answer);
  });
  using client = await RawClient.connect(server.address);
  for (const [what, [, content, type]] of Object.entries(answers)) {
    const name = what.replace(" ", "-");
    await client.send(say(`now ${name}`), say(`later ${name}`), say(`now ${name}`));
    for (let i = 0; i < 3; i++) {
      const answer = await client.answer();
      assertEquals(new Uint8Array(answer!.content), content, what);
      assertEquals(answer?.header["content-type"], type, what);
    }
  }
});

Deno.test("an answer that is given at once is copied: its memory may be used for the next", async () => {
  const scratch = new Uint8Array(1_000);
  const first = Promise.withResolvers<ReplyInit>();
  let given = 0;
  await using server = serveRequests(await listenLocally(), (request) => {
    const text = request.text();
    if (text === "first") return first.promise;
    scratch.fill(given++);
    return text === "bytes" ? scratch : { header: { "content-type": "x" }, content: scratch };
  }, { maxPendingBytes: 10_000_000 });
  using client = await RawClient.connect(server.address);
  for (const isBehindAnother of [false, true]) {
    given = 0;
    if (isBehindAnother) await client.send(say("first"));
    for (let i = 0; i < 50; i++) await client.send(say(i % 2 ? "bytes" : "frame"));
    await until(() => given === 50);
    first.resolve("first");
    if (isBehindAnother) assertEquals((await client.answer())?.text(), "first");
    for (let i = 0; i < 50; i++) {
      assertEquals(new Set((await client.answer())?.content), new Set([i]));
    }
  }
});

Deno.test("an error that is meant for the client is told to it alone", async () => {
  const observer = new Recorder();
  await using server = serveRequests(await listenLocally(), (request) => {
    if (request.text() === "json") return request.json() as never;
    throw new RequestError("too-blue", "The request is too blue");
  }, { observer });
  using client = await RawClient.connect(server.address);
  await client.send(say("x"), say("json"));
  assertEquals(await client.json(), {
    result: "Error: The request is too blue",
    error: { code: "too-blue", message: "The request is too blue" },
  });
  assertEquals(await codeOf(client), "bad-json");
  assertEquals(observer.requestErrors, []);
});

Deno.test("answers may be encoded already", async () => {
  const ready = EncodedFrame.encode(errorReply("x", "y"));
  await using server = serveRequests(
    await listenLocally(),
    (request) => request.text() === "later" ? Promise.resolve(ready) : ready,
  );
  using client = await RawClient.connect(server.address);
  await client.send(say("now"), say("later"), say("now"));
  for (let i = 0; i < 3; i++) assertEquals(await codeOf(client), "x");
});

Deno.test("a request whose answer comes later keeps its content", async () => {
  const go = Promise.withResolvers<void>();
  await using server = serveRequests(await listenLocally(), async (request) => {
    await go.promise;
    return say(request.text());
  });
  using client = await RawClient.connect(server.address);
  const words = Array.from({ length: 100 }, (_, i) => `${i}`.repeat(50));
  for (const word of words) await client.send(say(word));
  go.resolve();
  for (const word of words) assertEquals((await client.answer())?.text(), word);
});

Deno.test("a handler sees whose request it is, and when that client is gone", async () => {
  const seen = Promise.withResolvers<Peer>();
  const gone = Promise.withResolvers<unknown>();
  const observer = new Recorder();
  await using server = serveRequests(await listenLocally(), (_, connection) => {
    seen.resolve(connection);
    return new Promise((_, reject) => {
      connection.signal.addEventListener("abort", () => {
        gone.resolve(connection.signal.reason);
        reject(connection.signal.reason);
      });
    });
  }, { observer });
  const client = await RawClient.connect(server.address);
  await client.send(say("x"));
  const connection = await deadline(seen.promise);
  assertEquals(connection.remote.transport, "tcp");
  client.close();
  await deadline(server.drain(50));
  assertEquals(await deadline(gone.promise), "forced");
  await pause(20);
  // That a handler gave up because its client is gone is nobody's fault.
  assertEquals(observer.requestErrors, []);
});

Deno.test("wrong limits are refused before a client comes", async () => {
  using listener = await listenLocally();
  const wrong = [
    { maxContentBytes: -1 },
    { maxHeaderBytes: NaN },
    { maxPipelined: 0 },
    { maxConnections: -1 },
  ];
  for (const options of wrong) {
    assertThrows(() => serveRequests(listener, () => say("x"), options), RangeError);
  }
});
