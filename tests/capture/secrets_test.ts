/** Credentials are not shown. */
import { assert, assertEquals } from "@std/assert";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { SecretFilter, viewOf } from "../../lib/capture/mod.ts";
import { watched } from "./watched.ts";

Deno.test("credentials are blanked in views: of a hello, however it is written, and only there", () => {
  const { up, down, contents, frames } = watched();
  up(encodeFrame({ header: { op: "hello", token: "t0p", user: "u", password: "s3cret" } }));
  assertEquals(viewOf(frames[0]!).fields, {
    op: "hello",
    token: "***",
    user: "u",
    password: "***",
  });
  assertEquals(viewOf(frames[0]!, { secrets: true }).fields["token"], "t0p");
  const secrets = [
    '{"action":"hello","token":"s3cret"}',
    '{"action" : "hello", "user": "u", "password" : "s3\\"cret"}',
    '{"action":"hello","passw\\u006frd":"s3cret"}',
    '{"password":"s3cret","action":"hel',
    '{"token":s3cret}',
    '{"a":"token","password"\n:\n"s3cret',
  ];
  for (const content of secrets) {
    up(encodeFrame({ header: { "content-type": "text/json" }, content }));
    assert(!/s3|cret/.test(contents.at(-1)!), contents.at(-1));
    assert(contents.at(-1)!.includes("***"));
  }
  const secret = '{"ሢ":"∢","action":"hello","password":"s3cret"}';
  for (const encoding of ["utf-16le", "utf-16be"]) {
    const units = Uint16Array.from(secret, (char) => char.charCodeAt(0));
    const pairs = [...units].flatMap((unit) => [unit & 255, unit >> 8]);
    const content = Uint8Array.from(
      encoding === "utf-16le" ? pairs : pairs.map((_, i) => pairs[i ^ 1]!),
    );
    up(
      encodeFrame({
        header: { "content-type": "text/json", "content-encoding": encoding },
        content,
      }),
    );
    assertEquals(contents.at(-1), '{"ሢ":"∢","action":"hello","password":"******"}');
    const shown = new TextDecoder("latin1").decode(viewOf(frames.at(-1)!).content);
    assert(!shown.replaceAll("\0", "").includes("s3cret"), shown);
  }
  const plain = '{"action":"search","value":"token","limit":1}';
  up(encodeFrame({ header: { "content-type": "text/json" }, content: plain }));
  assertEquals(contents.at(-1), plain);
  down(encodeFrame({ header: { "content-type": "text/json" }, content: '{"token":"x"}' }));
  assertEquals(contents.at(-1), '{"token":"x"}');
});

Deno.test("credentials are blanked in both directions where it is a guess which one is the client's", () => {
  const { up, down, contents } = watched(false);
  for (const send of [up, down]) {
    send(encodeFrame(jsonFrame({ action: "hello", user: "u", password: "s3cret" })));
    send(encodeFrame(jsonFrame({ action: "hello", token: "s3cret" })));
  }
  assertEquals(contents.length, 4);
  for (const content of contents) {
    assert(content.includes("***") && !/s3cret/.test(content), content);
  }
});

Deno.test("SecretFilter blanks credentials in bytes that are cut anywhere, behind stray quotes too", () => {
  const hello =
    '{"byteorder":"big","op":"hello","token":"s3cret","password" : "s3\\"cret","user":"u"}';
  const before = ["", '"', '\x01"', '"a', 'x"y"z', '"":', "\\", '""'];
  for (const stray of before) {
    const bytes = new TextEncoder().encode(stray + hello);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const filter = new SecretFilter();
      const parts = [filter.filter(bytes.subarray(0, cut)), filter.filter(bytes.subarray(cut))];
      const text = parts.map((part) => new TextDecoder().decode(part)).join("");
      assertEquals(
        text,
        `${stray}{"byteorder":"big","op":"hello","token":"******","password" : "********","user":"u"}`,
        `${JSON.stringify(stray)}, cut at ${cut}`,
      );
    }
  }
});
