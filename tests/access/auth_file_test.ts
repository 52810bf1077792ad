import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  AuthFileError,
  hashPassword,
  hashToken,
  parseAuthFile,
  type RightsGrammar,
} from "../../lib/access/mod.ts";

const HASH = await hashPassword("secret");
const TOKEN = hashToken("t0ken");

/** Rights of patterns, which are words of letters and numbers, and one of things by name. */
const RIGHTS: RightsGrammar = {
  speak: (pattern) => /^[a-z]+$/.test(String(pattern)) ? undefined : "it is no word",
  count: (pattern) => pattern !== "" && Number(pattern) >= 0 ? undefined : "it is no number",
  boxes: {
    nameProblem: (name) => /^[a-z]+$/.test(String(name)) ? undefined : "it is no word",
    words: ["open", "close"],
  },
};

Deno.test("an entry has the permissions that the file gives it, and no others", () => {
  const { users, tokens } = parseAuthFile(
    JSON.stringify({
      users: [
        { name: "ali", password: HASH, speak: { allow: ["a", "b"], deny: ["c"] } },
        { name: "bea", password: HASH, speak: { deny: ["d"] }, count: { allow: ["7"] } },
        { name: "cid", password: HASH, boxes: { red: ["open", "close"], blue: ["open"] } },
      ],
      tokens: [{ name: "sensor", token: TOKEN }],
    }),
    RIGHTS,
  );
  const none = { allow: [], deny: [] };
  const { hash, principal } = users.get("ali")!;
  assertEquals([hash, principal.name], [HASH, "ali"]);
  assertEquals(principal.permission("speak"), { allow: ["a", "b"], deny: ["c"] });
  assertEquals(principal.permission("count"), none);
  const bea = users.get("bea")!.principal;
  assertEquals(bea.permission("speak"), { allow: [], deny: ["d"] });
  assertEquals(bea.permission("count"), { allow: ["7"], deny: [] });
  const boxes = { allow: ["red:open", "red:close", "blue:open"], deny: [] };
  assertEquals(users.get("cid")!.principal.permission("boxes"), boxes);
  const sensor = tokens.get(TOKEN)!;
  assertEquals([sensor.name, sensor.permission("speak")], ["sensor", none]);
  assertEquals(sensor.permission("name"), none);
  assertEquals([users.size, tokens.size], [3, 1]);
});

Deno.test("a file may begin with a byte order mark, and have one nowhere else", () => {
  const text = JSON.stringify({ tokens: [{ name: "sensor", token: TOKEN }] });
  assertEquals(parseAuthFile(`\uFEFF${text}`, RIGHTS).tokens.size, 1);
  for (const broken of [`\uFEFF\uFEFF${text}`, ` \uFEFF${text}`, `${text}\uFEFF`]) {
    assertThrows(() => parseAuthFile(broken, RIGHTS), AuthFileError, "not JSON");
  }
});

Deno.test("a broken file is told of by its field", () => {
  const user = { name: "a", password: HASH };
  const token = { name: "t", token: TOKEN };
  const cases: [unknown, string][] = [
    ["{", ""],
    ["", ""],
    [null, ""],
    [[], ""],
    [{}, ""],
    [{ users: [], tokens: [] }, ""],
    [{ user: [] }, "user"],
    [{ users: {} }, "users"],
    [{ users: [3] }, "users[0]"],
    [{ users: [null] }, "users[0]"],
    [{ users: [{ password: HASH }] }, "users[0].name"],
    [{ users: [{ name: "", password: HASH }] }, "users[0].name"],
    [{ users: [{ name: 5, password: HASH }] }, "users[0].name"],
    [{ users: [{ name: "a" }] }, "users[0].password"],
    [{ users: [{ name: "a", password: "plain" }] }, "users[0].password"],
    [{ users: [{ name: "a", password: TOKEN }] }, "users[0].password"],
    [{ users: [{ name: "a", password: HASH.replace("16384", "99999999") }] }, "users[0].password"],
    [{ users: [{ ...user, token: TOKEN }] }, "users[0].token"],
    [{ users: [user, user] }, "users[1].name"],
    [{ users: [{ ...user, speek: { allow: ["a"] } }] }, "users[0].speek"],
    [{ users: [{ ...user, Speak: {} }] }, "users[0].Speak"],
    [{ users: [{ ...user, speak: { alow: [] } }] }, "users[0].speak.alow"],
    [{ users: [{ ...user, speak: null }] }, "users[0].speak"],
    [{ users: [{ ...user, boxes: ["red"] }] }, "users[0].boxes"],
    [{ users: [{ ...user, boxes: { R: [] } }] }, "users[0].boxes"],
    [{ users: [{ ...user, boxes: { red: "open" } }] }, "users[0].boxes.red"],
    [{ users: [{ ...user, boxes: { red: ["open", "shut"] } }] }, "users[0].boxes.red[1]"],
    [{ users: [{ ...user, speak: ["a"] }] }, "users[0].speak"],
    [{ users: [{ ...user, speak: { allow: "a" } }] }, "users[0].speak.allow"],
    [{ users: [{ ...user, speak: { deny: ["a", "b c"] } }] }, "users[0].speak.deny[1]"],
    [{ users: [{ ...user, count: { allow: ["a"] } }] }, "users[0].count.allow[0]"],
    [{ tokens: [{ name: "t", token: "t" }] }, "tokens[0].token"],
    [{ tokens: [{ token: TOKEN }] }, "tokens[0].name"],
    [{ tokens: [{ ...token, password: HASH }] }, "tokens[0].password"],
    [{ tokens: [token, { ...token, name: "u" }] }, "tokens[1].token"],
  ];
  for (const [file, field] of cases) {
    const text = typeof file === "string" ? file : JSON.stringify(file);
    const error = assertThrows(() => parseAuthFile(text, RIGHTS), AuthFileError);
    assertEquals([error.field, error.code], [field, "bad-auth-file"], text);
    const [, at, name] = /^(?:(.*)\.)?(.*)$/.exec(field)!;
    const unknown = `${at === undefined ? "" : `${at}: `}unknown field ${name} (`;
    assert(error.message.includes(field) || error.message.includes(unknown), error.message);
  }
});

Deno.test("a file for several roles is read with the rights of all of them, and only with these", () => {
  const others: RightsGrammar = { actions: () => undefined };
  const text = JSON.stringify({
    tokens: [{ name: "t", token: TOKEN, speak: { allow: ["a"] }, actions: { allow: ["get"] } }],
  });
  const principal = parseAuthFile(text, { ...RIGHTS, ...others }).tokens.get(TOKEN)!;
  assertEquals(principal.permission("speak").allow, ["a"]);
  assertEquals(principal.permission("actions").allow, ["get"]);
  const error = assertThrows(() => parseAuthFile(text, RIGHTS), AuthFileError);
  assertEquals(error.field, "tokens[0].actions");
  assertStringIncludes(
    error.message,
    "tokens[0]: unknown field actions (known are name, token, speak, count, boxes)",
  );
});
