import { sha256, tarGz } from "../../scripts/pack/archive.ts";
import { archiveFile, targetOf } from "../../scripts/pack/targets.ts";

/** A release as a mirror serves it, with a shell script in the program's place. */
export class ReleaseServer implements AsyncDisposable {
  /** What `SOCKTOOL_BASE_URL` is set to. */
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(files: ReadonlyMap<string, Uint8Array<ArrayBuffer> | string>) {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      const { pathname } = new URL(request.url);
      this.asked.push(pathname);
      const body = files.get(pathname);
      return body === undefined
        ? new Response("Not Found", { status: 404 })
        : new Response(body, { headers: { "content-type": "application/octet-stream" } });
    });
    this.url = `http://127.0.0.1:${this.#server.addr.port}/releases`;
  }

  /**
   * Serves the version 1.2.3 for this system, which is the latest as well.
   *
   * @param change What is done to the archive after its checksum was taken.
   * @param listed The name that `SHA256SUMS` has.
   * @param program What stands for the program.
   */
  static async start(
    change: (archive: Uint8Array<ArrayBuffer>) => void = () => {},
    listed = archiveFile(targetOf(Deno.build.target)),
    program = "#!/bin/sh\necho socktool 1.2.3\n",
  ): Promise<ReleaseServer> {
    const file = archiveFile(targetOf(Deno.build.target));
    const archive = releaseOf(program);
    const sums = `${"0".repeat(64)}  other-${listed}\n${await sha256(archive)}  ${listed}\n`;
    change(archive);
    const files = new Map<string, Uint8Array<ArrayBuffer> | string>();
    for (const folder of ["latest/download", "download/v1.2.3"]) {
      files.set(`/releases/${folder}/SHA256SUMS`, sums);
      files.set(`/releases/${folder}/${file}`, archive);
    }
    return new ReleaseServer(files);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

function releaseOf(program: string): Uint8Array<ArrayBuffer> {
  const folder = archiveFile(targetOf(Deno.build.target)).replace(/\.tar\.gz$/, "");
  const bytes = (text: string) => new TextEncoder().encode(text);
  return tarGz([
    { name: `${folder}/socktool`, bytes: bytes(program), executable: true },
    { name: `${folder}/socktool.1`, bytes: bytes(".TH SOCKTOOL 1\n") },
    { name: `${folder}/LICENSE`, bytes: bytes("MIT\n") },
  ], 6);
}
