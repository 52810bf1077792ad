import { assertEquals, assertThrows } from "@std/assert";
import { releaseArchive, sha256, tarGz } from "../../scripts/pack/archive.ts";
import { type ArchivedFile, tar } from "../../scripts/pack/tar.ts";
import { targetOf } from "../../scripts/pack/targets.ts";
import { zip } from "../../scripts/pack/zip.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool } from "../support/tools.ts";

const hasTar = isInstalled("tar", "unpacking by tar");
const hasPython = isInstalled("python3", "unpacking zip archives by Python");

const text = (content: string) => new TextEncoder().encode(content);
const FILES: readonly ArchivedFile[] = [
  { name: "program", bytes: text("#!/bin/sh\necho hi\n"), executable: true },
  { name: "empty", bytes: new Uint8Array() },
  { name: "deep/er/block", bytes: new Uint8Array(512).fill(7) },
  { name: "notes-é.txt", bytes: text("x".repeat(100_000)) },
];

Deno.test("tar unpacks what tar() packs: contents, names, permissions", async () => {
  if (!hasTar) return;
  using scratch = new Scratch();
  await Deno.writeFile(scratch.at("a.tar.gz"), tarGz(FILES, 6));
  const { code, err } = await runTool("tar", ["-xzf", "a.tar.gz"], { cwd: scratch.path });
  assertEquals([code, err], [0, ""]);
  for (const { name, bytes } of FILES) {
    assertEquals(await Deno.readFile(scratch.at(name)), bytes, name);
  }
  assertEquals(Deno.statSync(scratch.at("program")).mode! & 0o111, 0o111);
  assertEquals(Deno.statSync(scratch.at("empty")).mode! & 0o111, 0);
});

Deno.test("Python unpacks what zip() packs, and finds no fault in it", async () => {
  if (!hasPython) return;
  using scratch = new Scratch();
  await Deno.writeFile(scratch.at("a.zip"), zip(FILES, 6));
  const tested = await runTool("python3", ["-m", "zipfile", "-t", scratch.at("a.zip")]);
  assertEquals([tested.code, tested.out.trim()], [0, "Done testing"]);
  await runTool("python3", ["-m", "zipfile", "-e", scratch.at("a.zip"), scratch.at("out")]);
  for (const { name, bytes } of FILES) {
    assertEquals(await Deno.readFile(scratch.at(`out/${name}`)), bytes, name);
  }
});

Deno.test("the same files make the same archive", async () => {
  for (const triple of ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc"]) {
    const [first, second] = [1, 2].map(() => releaseArchive(targetOf(triple), FILES, 6));
    assertEquals(await sha256(first!), await sha256(second!));
  }
});

Deno.test("tar() refuses a name that the format has no room for", () => {
  assertThrows(
    () => tar([{ name: "x".repeat(101), bytes: new Uint8Array() }]),
    RangeError,
    "too long",
  );
});

Deno.test("sha256() writes what the standard's example has", async () => {
  assertEquals(
    await sha256(new Uint8Array(text("abc"))),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
