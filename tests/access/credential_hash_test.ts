import { assert, assertEquals, assertMatch } from "@std/assert";
import { hashPassword, hashToken, verifyPassword } from "../../lib/access/mod.ts";
import { isPasswordHash, isTokenHash } from "../../lib/access/credential_hash.ts";

const HASH = await hashPassword("secret");

Deno.test("a hash is of its password alone, and different each time", async () => {
  assert(await verifyPassword("secret", HASH));
  assert(!await verifyPassword("Secret", HASH));
  assert(!await verifyPassword("", HASH));
  const other = await hashPassword("secret");
  assert(other !== HASH);
  assert(await verifyPassword("secret", other));
});

Deno.test("only hashes that can be checked in bounded memory are taken for ones", () => {
  const [name, cost, block, parallel, salt, key] = HASH.split(":");
  const made = (...parts: unknown[]) => parts.join(":");
  assert(isPasswordHash(HASH));
  assert(isPasswordHash(made(name, 262_144, block, parallel, salt, key)));
  const bad = [
    "",
    "secret",
    hashToken("secret"),
    made(name, 524_288, block, parallel, salt, key),
    made(name, 16_383, block, parallel, salt, key),
    made(name, 0, block, parallel, salt, key),
    made(name, 1, block, parallel, salt, key),
    made(name, cost, 0, parallel, salt, key),
    made(name, cost, 999, parallel, salt, key),
    made(name, cost, block, 0, salt, key),
    made(name, cost, block, parallel, "", key),
    made(name, cost, block, parallel, salt, ""),
    `${HASH}\n`,
    ` ${HASH}`,
  ];
  for (const text of bad) assert(!isPasswordHash(text), text);
});

Deno.test("equal tokens have equal hashes, others have others", () => {
  assertEquals(hashToken("t0ken"), hashToken("t0ken"));
  assert(hashToken("t0ken") !== hashToken("token"));
  assertMatch(hashToken(""), /^sha256:[0-9a-f]{64}$/);
  assert(isTokenHash(hashToken("t0ken")));
  for (const text of ["", "t0ken", HASH, hashToken("x").toUpperCase(), hashToken("x") + "0"]) {
    assert(!isTokenHash(text), text);
  }
});
