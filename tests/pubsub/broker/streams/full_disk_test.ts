/** A disk that is really full: a small file system in memory. */
import { assert, assertEquals } from "@std/assert";
import { dial } from "../../../../lib/net/mod.ts";
import { until } from "../../../support/deadline.ts";
import { script, ServerProgram } from "../../../support/programs.ts";
import { Scratch } from "../../../support/scratch.ts";
import { skip } from "../../../support/skip.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import { openWriter } from "../../../../lib/sqlite/mod.ts";
import { newStreamSettings, openStreamStore } from "../../../../lib/pubsub/mod.ts";
import { op, RawPeer } from "../../support.ts";
import { framesIn, publication } from "./support.ts";

const DISK = "32m";
/** Enough that with it gone there is room again, however the database and its log came to be shared out. */
const BALLAST_BYTES = 8_388_608;
const MESSAGE = "x".repeat(100_000);

/** How a program gets a file system of its own: as root, or else as root of its own users. */
const WAYS = ["unshare -m", "unshare -rm"];

/** The first way that works here. */
async function wayToMount(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  using scratch = new Scratch();
  for (const way of WAYS) {
    const args = ["-c", `${way} mount -t tmpfs tmpfs '${scratch.at(".")}'`];
    const { success } = await new Deno.Command("sh", { args, stderr: "null" }).output();
    if (success) return way;
  }
  return undefined;
}

const way = await wayToMount();
if (way === undefined) skip("no file system can be mounted here: a disk that is really full");

Deno.test({
  name: "on a full disk publications are refused and reading goes on; with room all goes on",
  ignore: way === undefined,
  async fn() {
    using scratch = new Scratch();
    const disk = scratch.at("disk");
    await Deno.mkdir(disk);
    const mount = `mount -t tmpfs -o size=${DISK} tmpfs "${disk}"`;
    const fill = `head -c ${BALLAST_BYTES} /dev/zero > "${disk}/ballast"`;
    const shell = `exec ${way} sh -c '${mount} && ${fill} && exec "$0" "$@"' "$0" "$@"`;
    const args = script("cmd/broker.ts", "127.0.0.1:0", "--store", `${disk}/store`);
    await using broker = await ServerProgram.start([...args, "--stream", "orders=orders.>"], {
      shell,
    });
    using peer = new RawPeer(await dial(broker.address));
    const publish = async () =>
      await peer.ask("pub", { topic: "orders.a", stored: true, id: 1 }, MESSAGE);
    const fillUp = async () => {
      for (let stored = 0;; stored++) {
        const answer = await publish();
        if (answer["op"] === "ok") continue;
        assertEquals(answer["code"], "storage-full", JSON.stringify(answer));
        return stored;
      }
    };
    const stored = await fillUp();
    assert(stored > 50, `${stored} were stored`);
    assertEquals((await publish())["code"], "storage-full", "still");
    assertEquals(await countOf(broker, stored), stored);
    // The disk is the broker's alone: it is reached through its process.
    await Deno.remove(`/proc/${broker.pid}/root${disk}/ballast`);
    let more = 0;
    await until(async () => (more += await fillUp()) > 3, "publishing goes on");
    assertEquals(await countOf(broker, stored + more), stored + more);
    // What is dropped makes room for what comes, also where nothing else does.
    using consumer = new RawPeer(await dial(broker.address));
    const consume = { stream: "orders", consumer: "c", sid: 1, prefetch: 1, id: 2 };
    assertEquals((await consumer.ask("consume", consume))["op"], "ok");
    const { header: { delivery } } = await consumer.frame();
    const ack = { stream: "orders", consumer: "c", deliveries: [delivery], id: 3 };
    await consumer.send(op("ack", ack));
    // The next delivery comes too.
    const answers = [await consumer.header(), await consumer.header()].map(({ op }) => op);
    assertEquals(answers.sort(), ["ok", "pub"]);
    const purge = { do: "purge", name: "orders", id: 4 };
    for (let round = 0; round < 2; round++) {
      assertEquals((await peer.ask("stream", purge))["count"], 0);
      const again = await fillUp();
      assert(again > stored / 2, `${again} of ${stored} were stored after a purge`);
    }
    broker.kill("SIGTERM");
    assertEquals((await broker.finished()).code, 0);
  },
});

/** How many messages the stream has, in their order, of so many. */
async function countOf(broker: ServerProgram, last: number): Promise<number> {
  using peer = new RawPeer(await dial(broker.address));
  await peer.send(op("sub", { stream: "orders", sid: 1, from: "all" }));
  let count = 0;
  while (count < last) {
    const { header } = await peer.frame();
    if (header["op"] !== "pub") break;
    assertEquals(header["seq"], ++count);
  }
  return count;
}

Deno.test({
  name: "a broker starts on a full disk by the room that the one before it held",
  ignore: way === undefined,
  async fn() {
    using scratch = new Scratch();
    const [disk, folder] = [scratch.at("disk"), scratch.at("store")];
    await Deno.mkdir(disk);
    {
      await using store = await openStreamStore(folder);
      await store.create("orders", newStreamSettings(["orders.>"]));
      const [frame] = framesIn(publication("orders.a", MESSAGE));
      for (let i = 0; i < 15; i++) store.append("orders", frame!, 1);
    }
    const copy = `mount -t tmpfs -o size=${DISK} tmpfs "${disk}" && cp -r "${folder}" "${disk}"`;
    const shell = `exec ${way} sh -c '${copy} && ! cat /dev/zero > "${disk}/ballast" && ` +
      `exec "$0" "$@"' "$0" "$@"`;
    const args = script("cmd/broker.ts", "127.0.0.1:0", "--store", `${disk}/store`);
    await using broker = await ServerProgram.start(args, { shell });
    assertEquals(await countOf(broker, 15), 15);
  },
});

Deno.test({
  name: "a database that cannot be opened as the disk is full is not called a broken disk",
  ignore: way === undefined,
  async fn() {
    using scratch = new Scratch();
    const [disk, path] = [scratch.at("disk"), scratch.at("a.db")];
    await Deno.mkdir(disk);
    openWriter(path, { schema: STREAM_SCHEMA }).close();
    const module = new URL("../../../../lib/sqlite/open.ts", import.meta.url).href;
    const code = `import { openReader } from "${module}";
      try { openReader("${disk}/a.db", { cacheBytes: 4096 }); } catch ({ code }) { console.log(code) }`;
    const shell =
      `${way} sh -c 'mount -t tmpfs -o size=1m tmpfs "${disk}" && cp "${path}" "${disk}" ` +
      `&& ! cat /dev/zero > "${disk}/ballast" && exec "$0" eval "$1"' "$0" "$1"`;
    const args = ["-c", shell, Deno.execPath(), code];
    const { stdout } = await new Deno.Command("sh", { args, stderr: "null" }).output();
    assertEquals(new TextDecoder().decode(stdout), "full\n");
  },
});
