import type { StoreCopy } from "../stream_store.ts";

/** The beginning of the names of copies, which are files beside the database. */
export const COPY_PREFIX = "socktool.db.copy-";

/** Bytes that are read at one time. */
const PART_BYTES = 65_536;

/** A copy of a store that is sent to somebody: a file that goes when it is closed. */
export class FileCopy implements StoreCopy {
  readonly bytes: number;
  readonly #file: Deno.FsFile;
  readonly #path: string;
  readonly #onClosed: () => void;
  #isClosed = false;

  private constructor(file: Deno.FsFile, path: string, bytes: number, onClosed: () => void) {
    this.#file = file;
    this.#path = path;
    this.bytes = bytes;
    this.#onClosed = onClosed;
  }

  /** Opens the file, which is removed also if that fails. */
  static async open(path: string, onClosed: () => void): Promise<FileCopy> {
    const file = await Deno.open(path);
    return new FileCopy(file, path, (await file.stat()).size, onClosed);
  }

  async read(): Promise<Uint8Array | undefined> {
    if (this.#isClosed) return undefined;
    const part = new Uint8Array(PART_BYTES);
    const count = await this.#file.read(part);
    return count === null ? undefined : part.subarray(0, count);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#file.close();
    Deno.remove(this.#path).catch(() => {}).finally(this.#onClosed);
  }
}

/** Removes copies that an earlier process was killed beside. */
export async function removeCopies(folder: string): Promise<void> {
  for await (const { name } of Deno.readDir(folder)) {
    if (name.startsWith(COPY_PREFIX)) await Deno.remove(`${folder}/${name}`).catch(() => {});
  }
}
