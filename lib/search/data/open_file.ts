/**
 * Opens files of the data, and reads them, so that nothing in a data folder can hang the reading or
 * lead out of the folder.
 *
 * @module
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { messageOf } from "../../base/message_of.ts";
import { type DataFile, SkipFile, UnreadableFile } from "./item.ts";

/** The size of one chunk. */
const CHUNK_BYTES = 128 * 1024;

/** How long opening a file may take, and reading one chunk. A network file system may never answer. */
const TIME_LIMIT_MS = 10_000;

/**
 * The most operations on files that took too long and have not ended: each blocks a thread of the
 * runtime. While there are this many, no file is opened or read.
 */
const MAX_HANGING = 16;

/**
 * Opening a pipe must not wait for its writer, nor reading a device for data. Windows does not have
 * this flag, nor the next one.
 */
const NO_WAIT = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** Opening a link fails with ELOOP. */
const NO_LINK = constants.O_NOFOLLOW ?? 0;

/** How many operations took too long and have not ended. */
let hanging = 0;

/** A file that is open for reading. */
export class OpenFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #bytes: number;
  #isReading = false;

  /** @param handle Open for reading; it is closed with this. @param bytes The most to read. */
  constructor(handle: FileHandle, bytes: number) {
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /**
   * Reads the file, up to the size that it had when it was opened. A file of size 0 is not read:
   * the kernel's own files, under `/proc`, say that they have no bytes, and some never end.
   *
   * All chunks are views of one buffer: each is good until the next one.
   *
   * @param timeLimitMs How long one chunk may take.
   * @throws {UnreadableFile}
   */
  async *chunks(timeLimitMs = TIME_LIMIT_MS): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(Math.min(CHUNK_BYTES, this.#bytes));
    for (let left = this.#bytes; left > 0;) {
      const count = await within(
        () => this.#fill(buffer, Math.min(left, buffer.length)),
        timeLimitMs,
      );
      if (count === 0) return;
      left -= count;
      yield buffer.subarray(0, count);
    }
  }

  /** Reads `count` bytes, or fewer at the end: all of them together have to come in time. */
  async #fill(buffer: Uint8Array, count: number): Promise<number> {
    let filled = 0;
    this.#isReading = true;
    try {
      while (filled < count) {
        const { bytesRead } = await this.#handle.read(buffer, filled, count - filled, null);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } finally {
      this.#isReading = false;
    }
    return filled;
  }

  /** Closes the file. It does not wait for a read that took too long; the file closes after it. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.#handle.close();
    if (this.#isReading) closing.catch(() => {});
    else await closing;
  }
}

/**
 * Opens a file that a walk found. The file may have been replaced since then, so what was opened is
 * checked: it must be a regular file, and without `follow` no part of its path may be a link.
 *
 * @throws {SkipFile} if it is something else.
 * @throws {UnreadableFile} if it cannot be opened, or not in time.
 */
export function openFile(file: Pick<DataFile, "real">, follow: boolean): Promise<OpenFile> {
  return within(() => openChecked(file, follow), TIME_LIMIT_MS);
}

async function openChecked({ real }: Pick<DataFile, "real">, follow: boolean): Promise<OpenFile> {
  let handle: FileHandle;
  try {
    handle = await open(real, NO_WAIT | (follow ? 0 : NO_LINK));
  } catch (error) {
    if ((error as { code?: unknown }).code === "ELOOP") throw new SkipFile(REPLACED_BY_LINK);
    throw error;
  }
  try {
    const opened = await handle.stat();
    if (!opened.isFile()) throw new SkipFile("neither a file nor a folder");
    if (!follow) {
      // A folder of the path may have become a link: then another file was opened than the path's.
      const named = await Deno.lstat(real);
      const isSame = named.isFile && named.dev === opened.dev && (named.ino ?? 0) === opened.ino;
      if (!isSame || await Deno.realPath(real) !== real) throw new SkipFile(REPLACED_BY_LINK);
    }
    return new OpenFile(handle, opened.size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

const REPLACED_BY_LINK = "replaced while it was looked at, perhaps by a link";

/**
 * Runs an operation on a file, and gives it up after a time. What it returns later is closed.
 *
 * @throws {SkipFile} if the operation does.
 * @throws {UnreadableFile} for any other error, and if it takes too long.
 */
async function within<T>(start: () => Promise<T>, ms: number): Promise<T> {
  if (hanging >= MAX_HANGING) throw new UnreadableFile(`${hanging} other files do not answer`);
  const operation = start();
  const late = Promise.withResolvers<never>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    hanging++;
    late.reject(new UnreadableFile(`it did not answer within ${ms} ms`));
  }, ms);
  operation.then(
    (result) => {
      if (!isLate) return;
      hanging--;
      dispose(result);
    },
    () => {
      if (isLate) hanging--;
    },
  );
  try {
    return await Promise.race([operation, late.promise]);
  } catch (error) {
    if (error instanceof SkipFile || error instanceof UnreadableFile) throw error;
    throw new UnreadableFile(reasonOf(error), { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

function dispose(result: unknown): void {
  if (result instanceof OpenFile) void result[Symbol.asyncDispose]();
}

/** An error's message without the code and the path that `node:fs` puts around it. */
function reasonOf(error: unknown): string {
  const text = messageOf(error);
  return /^E[A-Z0-9]+: (.*), \w+(?: '.*')?$/s.exec(text)?.[1] ?? text;
}
