import { assert, assertEquals } from "@std/assert";
import {
  type Credentials,
  FileAuthenticator,
  hashPassword,
  hashToken,
  parseAuthFile,
} from "../../lib/access/mod.ts";
import { deadline } from "../support/deadline.ts";

const FILE = JSON.stringify({
  users: [
    { name: "ali", password: await hashPassword("secret") },
    { name: "bea", password: await hashPassword("other") },
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
