import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { ar } from "./ar.ts";
import { tarGz } from "./archive.ts";
import { completions, manualPage } from "./documents.ts";
import { ROOT } from "./paths.ts";
import type { ArchivedFile } from "./tar.ts";
import type { Target } from "./targets.ts";

/** What Debian calls the processors of the targets. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x86_64: "amd64", aarch64: "arm64" };

/** The oldest C library that Deno's runtime works with. */
const LIBC = "libc6 (>= 2.27)";

/** The name of the Debian package of a version. */
export function debianFile(version: string, target: Target): string {
  return `socktool_${version}_${architecture(target)}.deb`;
}

/**
 * Makes the Debian package of a program: with its manual page, its completions and its licence. The
 * same program always makes the same package.
 *
 * @param level The compression, from 1 (fast) to 9 (small).
 */
export async function debianPackage(
  program: Uint8Array,
  version: string,
  target: Target,
  level: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { bash, zsh, fish } = await completions();
  const files: ArchivedFile[] = [
    { name: "usr/bin/socktool", bytes: program, executable: true },
    { name: "usr/share/bash-completion/completions/socktool", bytes: bash },
    { name: "usr/share/doc/socktool/copyright", bytes: await Deno.readFile(`${ROOT}/LICENSE`) },
    { name: "usr/share/fish/vendor_completions.d/socktool.fish", bytes: fish },
    { name: "usr/share/man/man1/socktool.1.gz", bytes: gzipSync(await manualPage(), { level: 9 }) },
    { name: "usr/share/zsh/vendor-completions/_socktool", bytes: zsh },
  ];
  const control = [
    { name: "control", bytes: text(controlOf(files, version, target)) },
    { name: "md5sums", bytes: text(sumsOf(files)) },
  ];
  return ar([
    { name: "debian-binary", bytes: text("2.0\n") },
    { name: "control.tar.gz", bytes: tarGz(inRoot(control), 9) },
    { name: "data.tar.gz", bytes: tarGz(inRoot([...foldersOf(files), ...files]), level) },
  ]);
}

function controlOf(files: readonly ArchivedFile[], version: string, target: Target): string {
  const kib = Math.ceil(files.reduce((sum, { bytes }) => sum + bytes.length, 0) / 1024);
  return [
    "Package: socktool",
    `Version: ${version}`,
    `Architecture: ${architecture(target)}`,
    "Maintainer: The socktool authors <socktool@users.noreply.github.com>",
    `Installed-Size: ${kib}`,
    `Depends: ${LIBC}`,
    "Section: net",
    "Priority: optional",
    "Homepage: https://github.com/socktool/socktool",
    "Description: one program for work on TCP",
    " Echo and load tools, a framed request/response search server, and a",
    " publish/subscribe broker with its clients, as one program.",
    "",
  ].join("\n");
}

/** What `dpkg --verify` compares. Node's own hash: the Web has no MD5. */
function sumsOf(files: readonly ArchivedFile[]): string {
  return files.map(({ name, bytes }) =>
    `${createHash("md5").update(bytes).digest("hex")}  ${name}\n`
  ).join("");
}

function architecture({ triple, kernel }: Target): string {
  const found = ARCHITECTURES[triple.split("-")[0]!];
  if (kernel !== "Linux" || found === undefined) {
    throw new RangeError(`Debian has no packages for ${triple}`);
  }
  return found;
}

function inRoot(files: readonly ArchivedFile[]): ArchivedFile[] {
  return files.map((file) => ({ ...file, name: `./${file.name}` }));
}

/** The folders of files, the outer first: dpkg makes none that is not named. */
function foldersOf(files: readonly ArchivedFile[]): ArchivedFile[] {
  const names = files.flatMap(({ name }) =>
    name.split("/").slice(0, -1).map((_, i, parts) => `${parts.slice(0, i + 1).join("/")}/`)
  );
  return [...new Set(names)].sort().map((name) => ({ name, bytes: new Uint8Array(0) }));
}

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
