import { assertEquals, assertThrows } from "@std/assert";
import { checkAccess } from "../../../cmd/_cli/access.ts";
import { UsageError } from "../../../cmd/_cli/mod.ts";
import { parseAddress } from "../../../lib/net/mod.ts";

/** Where only this machine connects, as is known without asking anybody. */
const HERE = ["127.0.0.1:0", "127.8.8.8:0", ":0", "[::1]:0", "localhost:0", "unix:/x", "unix:@x"];

const ELSEWHERE = [
  "0.0.0.0:0",
  "[::]:0",
  "0:0",
  "[0::0]:0",
  "[::ffff:0.0.0.0]:0",
  "10.0.0.1:0",
  "[fe80::1]:0",
  "example.org:0",
  "localhost.example.org:0",
  "127.0.0.1.example.org:0",
  "127.1:0",
];

Deno.test("where other machines can connect, somebody has to have said that they may", () => {
  const said = [{ insecure: true }, { auth: "f", insecure: false }, { auth: "f", insecure: true }];
  for (const text of [...HERE, ...ELSEWHERE]) {
    const address = parseAddress(text);
    for (const flags of said) assertEquals(checkAccess(address, flags), undefined, text);
    const unsaid = () => checkAccess(address, { auth: undefined, insecure: false });
    if (HERE.includes(text)) unsaid();
    else assertThrows(unsaid, UsageError, "other machines can connect to", text);
  }
});
