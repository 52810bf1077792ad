/** A temporary folder that goes with the test. */
export class Scratch implements Disposable {
  readonly path: string = Deno.makeTempDirSync({ prefix: "socktool-" });

  /** The absolute path of a name in it. Short enough for a Unix socket. */
  at(name: string): string {
    return `${this.path}/${name}`;
  }

  /** Writes a file; returns its path. */
  write(name: string, text: string): string {
    Deno.writeTextFileSync(this.at(name), text);
    return this.at(name);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}
