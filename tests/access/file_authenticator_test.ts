import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Credentials,
  FileAuthenticator,
  hashToken,
  parseAuthFile,
  Principal,
} from "../../lib/access/mod.ts";
import { deadline } from "../support/deadline.ts";
import { quickHash } from "../support/quick_hash.ts";

const FILE = JSON.stringify({
  users: [
    { name: "ali", password: quickHash("secret") },
    { name: "bea", password: quickHash("other") },
  ],
  tokens: [{ name: "sensor", token: hashToken("t0ken") }],
});

Deno.test("credentials are of a principal, or of nobody", async () => {
  const authenticator = new FileAuthenticator(parseAuthFile(FILE, {}));
  const cases: [Credentials, string | undefined][] = [
    [{ user: "ali", password: "secret" }, "ali"],
    [{ user: "bea", password: "other" }, "bea"],
    [{ token: "t0ken" }, "sensor"],
    [{ user: "ali", password: "other" }, undefined],
    [{ user: "ali", password: "" }, undefined],
    [{ user: "ali" }, undefined],
    [{ password: "secret" }, undefined],
    [{ user: "nobody", password: "secret" }, undefined],
    [{ user: "", password: "" }, undefined],
    [{ token: "t0ke" }, undefined],
    [{ token: "" }, undefined],
    [{ token: "no", user: "ali", password: "secret" }, undefined],
    [{}, undefined],
  ];
  // Twice, as correct passwords are remembered; and all at once, so that some wait their turn.
  for (const _ of [1, 2]) {
    const found = cases.map(([credentials]) => authenticator.authenticate(credentials));
    const names = (await deadline(Promise.all(found))).map((principal) => principal?.name);
    assertEquals(names, cases.map(([, name]) => name));
  }
});

Deno.test("who leaves is not waited for, and one peer cannot fill the queue", async () => {
  const authenticator = new FileAuthenticator(parseAuthFile(FILE, {}));
  const gone = new AbortController();
  const wrong = { user: "ali", password: "wrong" };
  const attacker = Array.from(
    { length: 300 },
    (_, i) =>
      authenticator.authenticate({ user: `nobody${i}`, password: "x" }, {
        peer: "10.0.0.1",
        signal: gone.signal,
      }).then(() => "checked", (error: Error) => error.name),
  );
  const right = authenticator.authenticate({ user: "ali", password: "secret" }, {
    peer: "10.0.0.2",
  });
  gone.abort(new DOMException("gone", "AbortError"));
  assertEquals((await deadline(right))?.name, "ali");
  const outcomes = await deadline(Promise.all(attacker));
  const count = (outcome: string) => outcomes.filter((other) => other === outcome).length;
  assertEquals([count("checked"), count("AbortError"), count("QueueFullError")], [2, 100, 198]);
  assertEquals(await authenticator.authenticate(wrong, { peer: "10.0.0.1" }), undefined);
});

Deno.test("a login waits for few of another peer's, whoever does not leave", async () => {
  const authenticator = new FileAuthenticator(parseAuthFile(FILE, {}));
  const order: string[] = [];
  const login = async (user: string, password: string, peer: string) => {
    await authenticator.authenticate({ user, password }, { peer });
    order.push(user);
  };
  const wrong = Array.from({ length: 20 }, (_, i) => login(`nobody${i}`, "x", "10.0.0.1"));
  await deadline(Promise.all([...wrong, login("ali", "secret", "10.0.0.2")]));
  assert(order.indexOf("ali") <= 6, `${order.indexOf("ali")} were before it`);
});

const RIGHTS = { publish: () => undefined };
const SECRET = quickHash("secret");

function table(
  users: Record<string, { password?: string; allow?: string[] }>,
  tokens: Record<string, string[]>,
) {
  const file = {
    users: Object.entries(users).map(([name, { password = SECRET, allow = [] }]) => ({
      name,
      password,
      publish: { allow },
    })),
    tokens: Object.entries(tokens).map(([token, allow]) => ({
      name: token,
      token: hashToken(token),
      publish: { allow },
    })),
  };
  return parseAuthFile(JSON.stringify(file), RIGHTS);
}

Deno.test("another file replaces those whose rights changed, ends those who are gone, and no others", async () => {
  const authenticator = new FileAuthenticator(
    table({ same: {}, gone: {}, changed: {}, password: {} }, {
      same: ["a"],
      gone: [],
      changed: [],
    }),
  );
  const login = (user: string, password = "secret") =>
    authenticator.authenticate({ user, password });
  const users = await Promise.all(["same", "gone", "changed", "password"].map((u) => login(u)));
  const tokens = await Promise.all(
    ["same", "gone", "changed"].map((token) => authenticator.authenticate({ token })),
  );
  const next = table(
    {
      new: {},
      changed: { allow: ["x"] },
      same: {},
      password: { password: quickHash("other") },
    },
    { changed: ["x"], same: ["a"] },
  );
  authenticator.update(next);
  const [same, gone, changed, password] = users;
  assertEquals(same?.current, same);
  assertEquals([gone?.current, password?.current], [undefined, undefined]);
  assertEquals(changed?.current?.permission("publish").allow, ["x"]);
  assertEquals(tokens[0]?.current, tokens[0]);
  assertEquals(tokens[1]?.current, undefined);
  assertEquals(tokens[2]?.current?.permission("publish").allow, ["x"]);
  // Logins to come are of the same objects.
  assertEquals(await login("same"), same);
  assertEquals(await login("changed"), changed?.current);
  assertEquals(await authenticator.authenticate({ token: "same" }), tokens[0]);
  assertEquals(await login("gone"), undefined);
  assertEquals(await login("password"), undefined, "a remembered password counts no more");
  assertEquals((await login("password", "other"))?.name, "password");
  // Once more the same, and back again.
  authenticator.update(next);
  authenticator.update(table({ changed: {} }, {}));
  assertEquals(changed?.current?.permission("publish").allow, []);
  assertEquals(same?.current, undefined);
});

Deno.test("a login that is being checked when the file changes counts by the new one", async () => {
  const authenticator = new FileAuthenticator(table({ gone: {}, changed: {}, same: {} }, {}));
  const logins = ["gone", "changed", "same"].map((user) =>
    authenticator.authenticate({ user, password: "secret" })
  );
  authenticator.update(table({ changed: { allow: ["x"] }, same: {} }, {}));
  const [gone, changed, same] = await deadline(Promise.all(logins));
  assertEquals(gone, undefined);
  assertEquals(changed?.permission("publish").allow, ["x"]);
  assertEquals(same?.name, "same");
});

Deno.test("principals are replaced once, by one that stands", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => new Principal(name, {})) as [
    Principal,
    Principal,
    Principal,
  ];
  a.replaceBy(b);
  b.replaceBy(c);
  assertEquals([a.current, b.current, c.current], [c, c, c]);
  assertThrows(() => a.replaceBy(c), TypeError);
  assertThrows(() => c.replaceBy(a), TypeError);
  c.replaceBy(undefined);
  assertEquals([a.current, b.current, c.current], [undefined, undefined, undefined]);
  assertThrows(() => c.replaceBy(undefined), TypeError);
});

Deno.test("a table whose principals were replaced is refused, and changes nothing", async () => {
  const first = table({}, { t: [] });
  const authenticator = new FileAuthenticator(first);
  authenticator.update(table({}, { t: ["x"] }));
  assertThrows(() => authenticator.update(first), TypeError);
  const principal = await authenticator.authenticate({ token: "t" });
  assertEquals(principal?.permission("publish").allow, ["x"]);
});
