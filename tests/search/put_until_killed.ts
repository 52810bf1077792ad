/** Puts entries without end and prints the key of each one that was answered. */
import { openSearch } from "../../lib/search/mod.ts";

const [index] = Deno.args;
const engine = await openSearch({ index: index!, data: [], writable: true });
const encoder = new TextEncoder();
for (let i = 0; i < 100_000; i++) {
  const key = `k${i}`;
  await engine.put({ key, title: "", text: `text of ${key}` });
  Deno.stdout.writeSync(encoder.encode(`${key}\n`));
}
