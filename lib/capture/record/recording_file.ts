import { ByteBuffer } from "../../base/byte_buffer.ts";
import { CaptureError } from "../capture_error.ts";
import { isPcapng } from "../file/pcapng_parser.ts";

/** What is gathered is written when it has this size, or after the time. */
const BATCH_BYTES = 262_144;
const BATCH_MS = 50;

/** Memory that was needed for a large batch is given back above this size. */
const KEPT_BYTES = 1_048_576;

const READ_AND_WRITE_BY_OWNER = 0o600;

/** Options of a {@linkcode RecordingFile}. */
export interface RecordingFileOptions {
  readonly path: string;
  /** When the file would get larger, another one is begun. */
  readonly maxBytes: number;
  /** Appends what every file begins with. */
  readonly head: (buffer: ByteBuffer) => void;
  /** Is called once when nothing can be written any more. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * The file of a recording. Blocks are appended to {@linkcode RecordingFile.buffer}, and written
 * whole, so that what is there is a valid file at any time.
 *
 * Writing is synchronous: what was recorded never waits in memory beyond one batch, and where the
 * disk is slower than the traffic, the traffic waits for it.
 */
export class RecordingFile {
  /** What is to be written next; empty once the file has failed. */
  readonly buffer = new ByteBuffer(BATCH_BYTES);
  readonly #options: RecordingFileOptions;
  #file: Deno.FsFile | undefined;
  #fileBytes = 0;
  #headBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(options: RecordingFileOptions) {
    this.#options = options;
  }

  /**
   * Begins the file; only its owner may read it. One that is there is replaced if it is a recording
   * or empty.
   *
   * @throws {CaptureError} with code `not-a-recording` if it is another file.
   * @throws what the system says if it cannot be written.
   */
  static open(options: RecordingFileOptions): RecordingFile {
    const file = new RecordingFile(options);
    refuseOthers(options.path);
    file.#begin();
    return file;
  }

  /** Whether writing has failed, or it was closed. */
  get isOver(): boolean {
    return this.#file === undefined;
  }

  /** Notes that whole blocks were appended to the buffer. */
  appended(): void {
    if (this.buffer.length >= BATCH_BYTES) return this.flush();
    this.#timer ??= setTimeout(() => this.flush(), BATCH_MS);
  }

  /** Writes what is gathered. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { buffer } = this;
    try {
      if (
        this.#fileBytes > this.#headBytes &&
        this.#fileBytes + buffer.length > this.#options.maxBytes
      ) {
        this.#rotate();
      }
      this.#write(buffer.view());
    } catch (error) {
      this.#fail(error);
    }
    buffer.clear();
    if (buffer.bytes.length > KEPT_BYTES) buffer.bytes = new Uint8Array(BATCH_BYTES);
  }

  /** Writes what is gathered, and closes the file. */
  close(): void {
    if (this.isOver) return;
    this.flush();
    this.#file?.close();
    this.#file = undefined;
  }

  #begin(): void {
    const { path, head } = this.#options;
    const options = { write: true, create: true, truncate: true, mode: READ_AND_WRITE_BY_OWNER };
    this.#file = Deno.openSync(path, options);
    try {
      // The mode counts only for files that are made.
      if (Deno.build.os !== "windows" && this.#file.statSync().isFile) {
        Deno.chmodSync(path, READ_AND_WRITE_BY_OWNER);
      }
      const buffer = new ByteBuffer();
      head(buffer);
      this.#fileBytes = 0;
      this.#write(buffer.view());
      this.#headBytes = this.#fileBytes;
    } catch (error) {
      this.#file.close();
      this.#file = undefined;
      throw error;
    }
  }

  /** The file gets the name of the one before, which goes, and another one is begun. */
  #rotate(): void {
    const { path } = this.#options;
    this.#file?.close();
    this.#file = undefined;
    Deno.renameSync(path, previousPath(path));
    this.#begin();
  }

  #write(bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    this.#fileBytes += bytes.length;
  }

  #fail(error: unknown): void {
    try {
      this.#file?.close();
    } catch {
      // It was closed.
    }
    this.#file = undefined;
    this.#options.onFailed(error);
  }
}

/** The name that a recording gets when the next one is begun: `a.1.pcapng` of `a.pcapng`. */
export function previousPath(path: string): string {
  return /\.pcapng$/.test(path) ? path.replace(/\.pcapng$/, ".1.pcapng") : `${path}.1`;
}

function refuseOthers(path: string): void {
  let file: Deno.FsFile;
  try {
    if (!Deno.statSync(path).isFile) return;
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  using _ = file;
  const magic = new Uint8Array(4);
  const count = file.readSync(magic);
  if (count === null || isPcapng(magic.subarray(0, count))) return;
  throw new CaptureError(
    "not-a-recording",
    `Cannot record to ${path}: it is another file (take another name, or remove it)`,
  );
}
