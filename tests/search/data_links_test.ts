/**
 * What may be in a data folder, or be reached from it: links, pipes, sockets, devices, files that
 * never end.
 */
import { assertEquals, assertRejects } from "@std/assert";
import { openSearch, type SearchOptions } from "../../lib/search/mod.ts";
import { SkipFile, UnreadableFile } from "../../lib/search/data/item.ts";
import { OpenFile, openFile } from "../../lib/search/data/open_file.ts";
import { type FileHandle, open } from "node:fs/promises";
import { deadline, until } from "../support/deadline.ts";
import { assertCode, Folder, Recorder } from "./support.ts";

const ignore = Deno.build.os === "windows";

/** What an engine serves and what it skipped, after one pass over a folder. */
async function takenIn(data: string, options: SearchOptions = {}) {
  const observer = new Recorder();
  await using engine = await deadline(openSearch({ data: [data], ...options, observer }));
  const { hits } = await engine.search("secret OR public", { limit: 100 });
  return { keys: hits.map(({ key }) => key).sort(), skipped: observer.skippedFiles.sort() };
}

/** Notes the promises of what is read from a file, and of its end. */
function noteOperations(handle: FileHandle, operations: Promise<unknown>[]): void {
  for (const name of ["read", "close"] as const) {
    const operation = handle[name].bind(handle) as (...given: unknown[]) => Promise<unknown>;
    const noting = (...given: unknown[]) => {
      const promise = operation(...given);
      operations.push(promise);
      return promise;
    };
    Object.assign(handle, { [name]: noting });
  }
}

async function fifo(path: string): Promise<void> {
  await new Deno.Command("mkfifo", { args: [path] }).output();
}

Deno.test({
  name: "links are skipped and named, wherever they lead",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({
      "outside/a.txt": "secret",
      "data/good.txt": "public",
      "data/sub/b.txt": "public",
    });
    const targets = {
      "to-file": folder.at("outside/a.txt"),
      "to-folder": folder.at("outside"),
      "to-sibling.txt": "good.txt",
      "circle": folder.at("data"),
      "up": "..",
      "broken": "/nonexistent/target",
      "endless": "/dev/zero",
      "kernel": "/proc/kmsg",
      "sub/deep": "../../outside",
    };
    for (const [name, target] of Object.entries(targets)) {
      await Deno.symlink(target, folder.at(`data/${name}`));
    }
    const { keys, skipped } = await takenIn(folder.at("data"));
    assertEquals(keys, ["good.txt", "sub/b.txt"]);
    const names = Object.keys(targets).map((name) => name.replace("sub/", "")).sort();
    assertEquals(skipped, names.map((name) => `${name}: a link, and links are not followed`));
  },
});

Deno.test({
  name: "with follow, links lead to files and folders anywhere, and to each folder once",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({
      "outside/a.txt": "secret",
      "outside/deep/c.txt": "secret",
      "data/good.txt": "public",
      "data/sub/b.txt": "public",
    });
    const targets = {
      "0-to-sub": "sub",
      "broken": "/nonexistent/target",
      "circle": ".",
      "endless": "/dev/zero",
      "file.txt": folder.at("outside/a.txt"),
      "folder": folder.at("outside"),
      "folder-again": folder.at("outside"),
      "sub/inside": folder.at("outside/deep"),
    };
    for (const [name, target] of Object.entries(targets)) {
      await Deno.symlink(target, folder.at(`data/${name}`));
    }
    // One that leads from outside back to the data, in a larger circle.
    await Deno.symlink(folder.at("data"), folder.at("outside/deep/back"));
    const { keys, skipped } = await takenIn(folder.at("data"), { follow: true });
    assertEquals(keys, [
      "file.txt",
      "folder/a.txt",
      "folder/deep/c.txt",
      "good.txt",
      "sub/b.txt",
    ]);
    const twice = ["0-to-sub", "back", "circle", "folder-again", "inside"].map((name) =>
      `${name}: a folder that is taken in under another name`
    );
    assertEquals(
      skipped,
      [
        ...twice,
        "broken: unreadable: No such file or directory",
        "endless: neither a file nor a folder",
      ].sort(),
    );
  },
});

Deno.test({
  name: "a data path may itself be a link, to a folder and to a file",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({ "real/a.txt": "public", "real/link-to/x": "" });
    await Deno.symlink("real", folder.at("current"));
    await Deno.symlink("real/a.txt", folder.at("named.txt"));
    assertEquals((await takenIn(folder.at("current"))).keys, ["a.txt"]);
    assertEquals((await takenIn(folder.at("named.txt"))).keys, ["named.txt"]);
  },
});

Deno.test({
  name: "what links led to is taken out when they are no longer followed",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({ "outside/a.txt": "secret", "data/b.txt": "public" });
    await Deno.symlink(folder.at("outside"), folder.at("data/folder"));
    await Deno.symlink(folder.at("outside/a.txt"), folder.at("data/a.txt"));
    const index = folder.at("i.db");
    const follow = await takenIn(folder.at("data"), { index, follow: true });
    assertEquals(follow.keys, ["a.txt", "b.txt", "folder/a.txt"]);
    assertEquals((await takenIn(folder.at("data"), { index })).keys, ["b.txt"]);
  },
});

Deno.test({
  name: "pipes, sockets and devices are refused as data paths, and skipped in folders",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({ "data/good.txt": "public" });
    await fifo(folder.at("data/pipe"));
    using _listener = Deno.listen({ transport: "unix", path: folder.at("data/socket") });
    for (const path of [folder.at("data/pipe"), folder.at("data/socket"), "/dev/zero"]) {
      await assertCode(deadline(openSearch({ data: [path] })), "data-unreadable");
      const link = folder.at("link");
      await Deno.symlink(path, link);
      await assertCode(deadline(openSearch({ data: [link], watch: true })), "data-unreadable");
      await Deno.remove(link);
    }
    assertEquals((await takenIn(folder.at("data"))).skipped, [
      "pipe: neither a file nor a folder",
      "socket: neither a file nor a folder",
    ]);
  },
});

Deno.test({
  name: "a file of the kernel that calls itself a regular one does not hang the reading",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    // Each of them says that it is a file of 0 bytes; reading kmsg waits for the next message.
    for (const path of ["/proc/kmsg", "/proc/self/pagemap"]) {
      const readable = await Deno.open(path).then((file) => file.close(), () => "denied");
      if (readable === "denied") continue;
      const { keys, skipped } = await takenIn(path);
      assertEquals([keys, skipped], [[], [`${path.slice(path.lastIndexOf("/") + 1)}: empty`]]);
    }
  },
});

/** Ways in which a file may be replaced between being found and being opened. */
const SWAPS: Record<string, (folder: Folder) => Promise<void>> = {
  "by a link": async (folder) => {
    await Deno.remove(folder.at("data/sub/a.txt"));
    await Deno.symlink(folder.at("outside/a.txt"), folder.at("data/sub/a.txt"));
  },
  "by a pipe": async (folder) => {
    await Deno.remove(folder.at("data/sub/a.txt"));
    await fifo(folder.at("data/sub/a.txt"));
  },
  "by a folder": async (folder) => {
    await Deno.remove(folder.at("data/sub/a.txt"));
    await Deno.mkdir(folder.at("data/sub/a.txt"));
  },
  "with its folder by a link": async (folder) => {
    await Deno.rename(folder.at("data/sub"), folder.at("moved"));
    await Deno.symlink(folder.at("outside"), folder.at("data/sub"));
  },
};

for (const [name, swap] of Object.entries(SWAPS)) {
  Deno.test({
    name: `a file that is replaced ${name} after it was found is not read`,
    ignore,
    fn: async () => {
      await using folder = await Folder.make({
        "outside/a.txt": "secret",
        "data/sub/a.txt": "public",
      });
      const path = await Deno.realPath(folder.at("data/sub/a.txt"));
      const file = { path, real: path, name: "a.txt" };
      await using _opened = await openFile(file, false);
      await swap(folder);
      await assertRejects(() => deadline(openFile(file, false)), SkipFile);
    },
  });
}

Deno.test({
  name: "in watch mode a file that becomes a link is taken out, and a link that becomes a file in",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({
      "outside/a.txt": "secret",
      "outside/deep/b.txt": "secret",
      "data/a.txt": "public",
      "data/sub/c.txt": "public",
    });
    await Deno.symlink(folder.at("outside"), folder.at("data/folder"));
    // Watching all that this leads to would take minutes, or more watches than there are.
    await Deno.symlink("/", folder.at("data/everything"));
    const observer = new Recorder();
    await using engine = await deadline(
      openSearch({ data: [folder.at("data")], watch: true, observer }),
      "watching",
      5000,
    );
    await Deno.symlink(folder.at("outside/a.txt"), folder.at("data/.new"));
    await Deno.rename(folder.at("data/.new"), folder.at("data/a.txt"));
    await observer.until(() => engine.lookup("a.txt") === undefined);
    await Deno.remove(folder.at("data/a.txt"));
    await folder.write("data/a.txt", "public again");
    await observer.until(() => engine.lookup("a.txt")?.text === "public again");
    const passes = observer.summaries.length;
    // What happens behind links sets off no pass: they are not watched.
    await folder.write("outside/deep/b.txt", "secret changed");
    await folder.write("data/sub/c.txt", "public changed");
    await observer.until(() => engine.lookup("sub/c.txt")?.text === "public changed");
    assertEquals(engine.lookup("folder/deep/b.txt"), undefined);
    await observer.until(() => observer.summaries.length > passes);
  },
});

Deno.test({
  name: "in watch mode with follow, changes behind links are taken in",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({
      "outside/a.txt": "one",
      "outside/deep/b.txt": "two",
      "data/c.txt": "three",
    });
    await Deno.symlink(folder.at("outside"), folder.at("data/folder"));
    const observer = new Recorder();
    const options = { data: [folder.at("data")], watch: true, follow: true, observer };
    await using engine = await openSearch(options);
    await Deno.symlink(folder.at("outside/a.txt"), folder.at("data/e.txt"));
    if (Deno.build.os === "linux") {
      await observer.until(() => engine.lookup("e.txt")?.text === "one");
    }
    await folder.write("outside/deep/b.txt", "two changed");
    await observer.until(() => engine.lookup("folder/deep/b.txt")?.text === "two changed");
    await folder.write("outside/deep/new/d.txt", "four");
    await observer.until(() => engine.lookup("folder/deep/new/d.txt")?.text === "four");
    await folder.write("outside/deep/new/d.txt", "four changed");
    await observer.until(() => engine.lookup("folder/deep/new/d.txt")?.text === "four changed");
  },
});

Deno.test({
  name: "a file that stops answering is given up, and when too many do, no more are opened",
  ignore,
  fn: async () => {
    await using folder = await Folder.make({ "good.txt": "public" });
    const path = await Deno.realPath(folder.at("good.txt"));
    const good = { path, real: path, name: "good.txt" };
    // A pipe that is open for writing too: reading it waits, as a dead network's files do.
    await fifo(folder.at("pipe"));
    const writer = await open(folder.at("pipe"), "r+");
    let read = "";
    const operations: Promise<unknown>[] = [];
    for (let i = 0; i < 16; i++) {
      const reader = await open(folder.at("pipe"), "r+");
      noteOperations(reader, operations);
      const file = new OpenFile(reader, 1);
      await assertRejects(
        () => deadline(file.chunks(20).next()),
        UnreadableFile,
        "did not answer within 20 ms",
      );
      await deadline(file[Symbol.asyncDispose](), "closing", 1000);
    }
    await assertRejects(() => openFile(good, false), UnreadableFile, "16 other files");
    await writer.write("x".repeat(16));
    await writer.close();
    await until(async () => {
      try {
        await using file = await openFile(good, false);
        for await (const chunk of file.chunks()) read += new TextDecoder().decode(chunk);
        return true;
      } catch {
        return false;
      }
    });
    assertEquals(read, "public");
    // What was given up ends with the test.
    await deadline(Promise.all(operations));
  },
});
