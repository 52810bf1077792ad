/** Takes the lock of a database, says so, and holds it until it is killed. */
import { FileLock } from "../../lib/sqlite/mod.ts";

await using _lock = await FileLock.take(Deno.args[0]!);
await Deno.stdout.write(new TextEncoder().encode("taken\n"));
await new Promise((resolve) => setTimeout(resolve, 60_000));
