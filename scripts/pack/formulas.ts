/**
 * What Homebrew and Scoop install a release by: each names the release's archives and their SHA-256.
 *
 * @module
 */
import { archiveFile, targetOf } from "./targets.ts";

const REPOSITORY = "https://github.com/socktool/socktool";
const SUMMARY = "One program for work on TCP: echo, load, search and publish/subscribe";

/** The SHA-256 of each archive, by its name, as `SHA256SUMS` lists them. */
export type Sums = ReadonlyMap<string, string>;

/** Reads `SHA256SUMS`. */
export function readSums(text: string): Sums {
  return new Map(
    [...text.matchAll(/^([0-9a-f]{64}) [ *](\S+)$/gm)].map(([, sum, name]) => [name!, sum!]),
  );
}

/** An archive of a release. @throws {RangeError} if the sums have none for this target. */
function archive(version: string, triple: string, sums: Sums): { url: string; sha256: string } {
  const file = archiveFile(targetOf(triple));
  const sha256 = sums.get(file);
  if (sha256 === undefined) throw new RangeError(`SHA256SUMS has no line for ${file}`);
  return { url: `${REPOSITORY}/releases/download/v${version}/${file}`, sha256 };
}

/** The formula for Homebrew, on macOS and Linux. */
export function homebrewFormula(version: string, sums: Sums): string {
  const system = (name: string, intel: string, arm: string) => {
    const of = (kind: string, triple: string) => {
      const { url, sha256 } = archive(version, triple, sums);
      return `    on_${kind} do\n      url "${url}"\n      sha256 "${sha256}"\n    end\n`;
    };
    return `  on_${name} do\n${of("intel", intel)}${of("arm", arm)}  end\n`;
  };
  return `class Socktool < Formula
  desc "${SUMMARY}"
  homepage "${REPOSITORY}"
  version "${version}"
  license "MIT"

${system("macos", "x86_64-apple-darwin", "aarch64-apple-darwin")}
${system("linux", "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")}
  def install
    bin.install "socktool"
    man1.install "socktool.1"
    generate_completions_from_executable(bin/"socktool", "completions", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/socktool --version")
  end
end
`;
}

/** The manifest for Scoop, on Windows. */
export function scoopManifest(version: string, sums: Sums): string {
  const of = (triple: string) => {
    const { url, sha256 } = archive(version, triple, sums);
    return { url, hash: sha256, extract_dir: archiveFile(targetOf(triple)).replace(/\.zip$/, "") };
  };
  const latest = `${REPOSITORY}/releases/download/v$version`;
  const newest = (triple: string) => ({
    url: `${latest}/${archiveFile(targetOf(triple))}`,
  });
  const [intel, arm] = ["x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"] as const;
  const manifest = {
    version,
    description: SUMMARY,
    homepage: REPOSITORY,
    license: "MIT",
    architecture: { "64bit": of(intel), arm64: of(arm) },
    bin: "socktool.exe",
    checkver: { github: REPOSITORY },
    autoupdate: {
      architecture: { "64bit": newest(intel), arm64: newest(arm) },
      hash: { url: `${latest}/SHA256SUMS` },
    },
  };
  return JSON.stringify(manifest, null, 4) + "\n";
}
