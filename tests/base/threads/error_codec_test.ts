import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { OverBudgetError } from "../../../lib/base/budget.ts";
import { QueueFullError } from "../../../lib/base/fair_queue.ts";
import { type ErrorClass, ErrorCodec } from "../../../lib/base/threads/error_codec.ts";
import { AuthFileError } from "../../../lib/access/auth_file.ts";
import { EchoError } from "../../../lib/echo/mod.ts";
import { ContentError, ContentStreamError, FrameError } from "../../../lib/frame/mod.ts";
import { LoadError, SavedRunError } from "../../../lib/load/mod.ts";
import { AddressError, ConnectionError } from "../../../lib/net/mod.ts";
import { PubSubError } from "../../../lib/pubsub/mod.ts";
import { RequestError } from "../../../lib/request/mod.ts";
import { SkipFile } from "../../../lib/search/data/item.ts";
import { SearchError } from "../../../lib/search/mod.ts";
import { SqliteError } from "../../../lib/sqlite/mod.ts";
import { ROOT } from "../../support/programs.ts";

const address = { transport: "tcp", hostname: "::1", port: 5 } as const;
const cause = new TypeError("behind it", { cause: "the first" });

/** Errors of the library, with everything in them that they can have. */
const SAMPLES: readonly Error[] = [
  new AddressError("x", "it is none"),
  new AuthFileError("users[1]", "is no object", { cause }),
  new ConnectionError("read", address, new Deno.errors.ConnectionReset("os error 104")),
  new ContentError("bad-json", "It is no JSON", { cause }),
  new ContentStreamError("failed", "failed", 3, 7, { cause }),
  new EchoError("wrong-byte", "A byte differs", 5, 9),
  new FrameError("frame-too-large", "It is too large", {
    part: "content",
    expected: 9,
    limit: 5,
    header: { "content-length": 9, byteorder: "big", "content-type": "", "content-encoding": "" },
    cause,
  }),
  new LoadError("reset", "It broke", {
    cause: new ConnectionError("write", undefined, cause, "reset"),
  }),
  new OverBudgetError("No room for it", { cause }),
  new PubSubError("closed", "It is closed", { cause: { some: ["value"] } }),
  new QueueFullError("Too many"),
  new RequestError("code", "No", { cause }),
  new SavedRunError("It is none", { cause }),
  new SearchError("index-full", "It is full", { path: "/a", cause }),
  new SkipFile("It is none"),
  new SqliteError("newer", "/a", "open", "it is newer", { version: 7, cause }),
];

const CLASSES = SAMPLES.map((sample) => sample.constructor as ErrorClass);

/** What arrives in another thread. */
function sent(error: unknown, ...classes: ErrorClass[]): Error {
  const posted = structuredClone(new ErrorCodec(...classes).encode(error));
  return new ErrorCodec(...classes).decode(posted);
}

/** All that can be seen of a value: of errors class, properties and what getters give. */
function seen(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(seen);
  if (!(value instanceof Error)) return value;
  const own = Object.getOwnPropertyDescriptors(value);
  const properties = Object.entries(own).map(([name, { enumerable }]) =>
    [
      name,
      enumerable,
      seen(value[name as keyof Error]),
    ] as const
  ).sort(([a], [b]) => a < b ? -1 : 1);
  const proto = Object.getPrototypeOf(value);
  const getters = Object.entries(Object.getOwnPropertyDescriptors(proto))
    .filter(([, { get }]) => get)
    .map(([name]) => [name, Reflect.get(value, name)]);
  return { class: proto.constructor.name, text: String(value), properties, getters };
}

Deno.test("an error of each class of the library arrives as it was", () => {
  for (const error of SAMPLES) {
    const arrived = sent(error, ...CLASSES);
    assertStrictEquals(arrived.constructor, error.constructor);
    // Deno's own classes are not those of the language: of them the properties arrive.
    if (error.cause instanceof Deno.errors.ConnectionReset) {
      const { name, message, stack } = error.cause;
      assertEquals(seen({ ...arrived, cause: 0 }), seen({ ...error, cause: 0 }));
      const { cause } = arrived as { cause: Error };
      assertEquals([cause.name, cause.message, cause.stack], [name, message, stack]);
    } else assertEquals(seen(arrived), seen(error));
  }
});

Deno.test("no class of errors in lib has private members, which would not arrive", () => {
  let count = 0;
  const problems: string[] = [];
  const look = (path: string) => {
    const create = (): Deno.lint.LintVisitor => ({
      ClassDeclaration({ id, superClass, body }) {
        if (superClass?.type !== "Identifier" || !superClass.name.endsWith("Error")) return;
        count++;
        for (const member of body.body) {
          if (!("key" in member) || member.key.type !== "PrivateIdentifier") continue;
          problems.push(`${id?.name}.#${member.key.name}`);
        }
      },
    });
    const plugin: Deno.lint.Plugin = { name: "errors", rules: { read: { create } } };
    const text = Deno.readTextFileSync(path);
    // To parse all of them would take a second.
    if (/\bextends\s+\w*Error\b/.test(text)) Deno.lint.runPlugin(plugin, path, text);
  };
  const visit = (folder: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(folder)) {
      if (isDirectory) visit(`${folder}/${name}`);
      else if (name.endsWith(".ts")) look(`${folder}/${name}`);
    }
  };
  visit(`${ROOT}lib`);
  assert(count >= SAMPLES.length);
  assertEquals(problems, []);
});

class Inner extends Error {}
class Outer extends Inner {
  readonly code = "outer";
}

Deno.test("an error of a class that the codec does not have arrives as one of the nearest above it", () => {
  const error = Object.assign(new Outer("m"), { name: "Outer" });
  for (const [classes, expected] of [[[], Error], [[Inner], Inner], [[Inner, Outer], Outer]]) {
    const arrived = sent(error, ...classes as ErrorClass[]) as Outer;
    assertStrictEquals(arrived.constructor, expected as ErrorClass);
    assertEquals([arrived.name, arrived.message, arrived.code], ["Outer", "m", "outer"]);
    assertEquals(arrived.stack, error.stack);
  }
});

Deno.test("whatever errors, causes and fields there are, they arrive", () => {
  const { error } = fc.letrec((tie) => ({
    error: fc.tuple(
      fc.constantFrom(Error, TypeError, RangeError, Inner, Outer),
      fc.string(),
      fc.option(tie("value"), { nil: undefined }),
      fc.dictionary(fc.stringMatching(/^[a-z]{2}$/), tie("value"), { maxKeys: 3 }),
    ).map(([Class, message, cause, fields]) => {
      const error = new Class(message, cause === undefined ? undefined : { cause });
      return Object.assign(error, fields);
    }),
    value: fc.oneof(
      { maxDepth: 3 },
      fc.jsonValue(),
      fc.bigInt(),
      fc.uint8Array(),
      tie("error"),
      fc.array(tie("error"), { maxLength: 2 }),
    ),
  }));
  fc.assert(fc.property(error, (error) => {
    assertEquals(seen(sent(error, Inner, Outer)), seen(error));
  }));
});

Deno.test("errors in an AggregateError and a DOMException arrive too", () => {
  const error = new AggregateError([new Inner("a"), new DOMException("b", "AbortError")], "m");
  const arrived = sent(error, Inner);
  assert(arrived instanceof AggregateError);
  const [first, second] = arrived.errors;
  assert(first instanceof Inner && second instanceof DOMException);
  assertEquals([arrived.message, first.message], ["m", "a"]);
  assertEquals([second.message, second.name, second.code], ["b", "AbortError", 20]);
  assertEquals(second.stack, error.errors[1].stack);
  assertEquals(Object.keys(arrived), []);
});

Deno.test("an error that is its own cause, or has a long chain of causes, arrives cut short", () => {
  const own = new Error("own");
  own.cause = own;
  let chain = new Error("0");
  for (let i = 1; i < 10_000; i++) chain = new Error(String(i), { cause: chain });
  for (const [error, end] of [[own, "Error: own"], [chain, "Error: 9990"]] as const) {
    let arrived: unknown = sent(error);
    let length = 0;
    for (; arrived instanceof Error; arrived = arrived.cause) length++;
    assertEquals([length, arrived], [9, end]);
  }
});

Deno.test("what is no error, or cannot be cloned, arrives as a text", () => {
  const thrown = sent("just a text");
  assertEquals([thrown.message, thrown.cause], [
    "Something that is no error was thrown: just a text",
    "just a text",
  ]);
  assertEquals(sent(undefined).message, "Something that is no error was thrown: undefined");
  const fields = { call: () => 5, symbol: Symbol("s"), nested: { call() {} } };
  const arrived = sent(Object.assign(new Error("m"), fields)) as unknown as typeof fields;
  assertEquals([arrived.call, arrived.symbol, arrived.nested] as unknown[], [
    String(fields.call),
    "Symbol(s)",
    "[object Object]",
  ]);
  assertEquals(
    sent(Object.assign(new Error("m"), { bare: { __proto__: null, call() {} } })).message,
    "m",
  );
});
