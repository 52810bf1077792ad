/** A system that releases are made for. */
export interface Target {
  /** Its name for `deno compile --target`, and in the names of archives. */
  readonly triple: string;
  /** What `uname -s` prints there; `undefined` on Windows. */
  readonly kernel: "Linux" | "Darwin" | undefined;
  /** What `uname -m` prints there. */
  readonly machines: readonly string[];
}

/** All targets. */
export const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", kernel: "Linux", machines: ["x86_64", "amd64"] },
  { triple: "aarch64-unknown-linux-gnu", kernel: "Linux", machines: ["aarch64", "arm64"] },
  { triple: "x86_64-apple-darwin", kernel: "Darwin", machines: ["x86_64"] },
  { triple: "aarch64-apple-darwin", kernel: "Darwin", machines: ["arm64"] },
  { triple: "x86_64-pc-windows-msvc", kernel: undefined, machines: [] },
  { triple: "aarch64-pc-windows-msvc", kernel: undefined, machines: [] },
];

/** The target with this name. */
export function targetOf(triple: string): Target {
  const found = TARGETS.find((target) => target.triple === triple);
  if (found === undefined) throw new RangeError(`There are no releases for ${triple}`);
  return found;
}

/** The name of the program's file on this target. */
export function programFile(target: Target): string {
  return target.kernel === undefined ? "socktool.exe" : "socktool";
}

/** The name of the release's archive for this target. */
export function archiveFile(target: Target): string {
  const extension = target.kernel === undefined ? "zip" : "tar.gz";
  return `socktool-${target.triple}.${extension}`;
}
