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

/** How much is read in one go. */
const CHUNK_BYTES = 128 * 1024;

/** How long opening a file may take, and each chunk of it. A network's file system may never answer. */
const TIME_LIMIT_MS = 10_000;

/**
 * Reads and opens that took too long and are still under way: each holds a thread of the runtime.
 * With this many, no more files are opened.
 */
const MAX_HANGING = 16;

/**
 * Never waits for a writer of a pipe, nor for data of a device. Where links are not to be followed,
 * one is not even opened. Windows has neither flag.
 */
const NO_WAIT = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_LINK = constants.O_NOFOLLOW ?? 0;

let hanging = 0;

/** A file that is open for reading. */
export class OpenFile implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #bytes: number;
  #isReading = false;

  /** @param handle Open for reading; it is closed with this. @param bytes How much is read at most. */
  constructor(handle: FileHandle, bytes: number) {
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /**
   * Reads the file as far as it reached when it was opened. What calls itself empty is not read:
   * files of the kernel do, and some of them never end.
   *
   * Each chunk is a view of one buffer and holds only until the next one.
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

  /** Reads `count` bytes, fewer only at the end: a trickle must not count as progress. */
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

  /** Closes the file; after a read that did not answer in time, once that one has. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closing = this.#handle.close();
    if (this.#isReading) closing.catch(() => {});
    else await closing;
  }
}

/**
 * Opens a file that a walk found. It may have been replaced since then, so what was opened is looked
 * at: it must be a regular file, and without `follow` one that is reached without links.
 *
 * @throws {SkipFile} if it is something else.
 * @throws {UnreadableFile} if it cannot be opened, or not in time.
 */
export function openFile(file: DataFile, follow: boolean): Promise<OpenFile> {
  return within(() => openChecked(file, follow), TIME_LIMIT_MS);
}

async function openChecked({ real }: DataFile, follow: boolean): Promise<OpenFile> {
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
      // A folder on the way may have become a link: then what was opened is not what is there.
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
 * Waits for an operation on a file, but not for ever. One that comes too late has its result
 * disposed of.
 *
 * @throws {UnreadableFile} instead of anything but a {@linkcode SkipFile}.
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

/** What went wrong, without the code and the path that `node:fs` puts around it. */
function reasonOf(error: unknown): string {
  const text = messageOf(error);
  return /^E[A-Z0-9]+: (.*), \w+(?: '.*')?$/s.exec(text)?.[1] ?? text;
}
