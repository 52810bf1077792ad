import { assertEquals } from "@std/assert";
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
