import { assertEquals, assertMatch } from "@std/assert";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { connectRequests } from "../../lib/request/mod.ts";
import { openSearch } from "../../lib/search/mod.ts";
import { innerAppServer, socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";

Deno.test("a backup of an index that is served and written to has all that was answered", async () => {
  using scratch = new Scratch();
  const [index, copy] = [scratch.at("i.db"), scratch.at("copy.db")];
  const data = scratch.write("d.json", '["one", "two"]');
  {
    await using server = await innerAppServer(["--index", index, "--data", data, "--writable"]);
    await using client = await connectRequests(server.address);
    for (let i = 0; i < 200; i++) {
      await client.request(jsonFrame({ action: "put", key: `k${i}`, value: `text ${i}` }));
    }
    assertEquals((await socktool(["index", "backup", index, copy])).code, 0);
    const check = await socktool(["index", "check", index]);
    assertMatch(check.err, /is whole: 202 entries, 200 of them put by clients, of 1 files/);
  }
  const again = await socktool(["index", "backup", index, copy]);
  assertEquals(again.code, 1);
  assertMatch(again.err, /exists already/);
  const { code, out } = await socktool(["index", "check", copy, "--json"]);
  const { entries, put, problems } = JSON.parse(out);
  assertEquals([code, entries, put, problems], [0, 202, 200, []]);
  await using engine = await openSearch({ index: copy });
  assertEquals(engine.lookup("k199")?.text, "text 199");
  assertEquals((await engine.search("text", { limit: 0 })).total, 200);
});

Deno.test("what cannot be backed up or checked is told, and nothing is left behind", async () => {
  using scratch = new Scratch();
  const index = scratch.at("i.db");
  await (await openSearch({ index })).close();
  const told = async (...args: string[]) => {
    const { code, err } = await socktool(["index", ...args]);
    return `${code} ${err}`;
  };
  assertMatch(await told("backup", scratch.at("none.db"), scratch.at("c.db")), /^1 error: cannot/i);
  assertMatch(
    await told("backup", scratch.write("a.txt", "text"), scratch.at("c.db")),
    /^1 .*no SQLite/,
  );
  assertMatch(await told("backup", index, scratch.at("no/c.db")), /^1 .*its folder does not exist/);
  assertMatch(await told("backup", index), /^2 /);
  assertMatch(await told("check", index, "more"), /^2 /);
  const bytes = Deno.readFileSync(index);
  bytes.fill(0x5a, 8192, 16384);
  Deno.writeFileSync(scratch.at("broken.db"), bytes);
  assertMatch(await told("check", scratch.at("broken.db")), /^1 error: /);
  const names = [...Deno.readDirSync(scratch.path)].map(({ name }) => name).sort();
  assertEquals(names.filter((name) => /c\.db|part/.test(name)), []);
});
