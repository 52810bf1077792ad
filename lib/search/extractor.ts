import type { PackedFile, PackedText } from "./data/packed/packed_file.ts";
import { SearchError } from "./error.ts";
import { importLater } from "../base/import_later.ts";
import type { WorkerPool } from "./worker/worker_pool.ts";

/** What became of a file: its text, or why it has none. */
export type ExtractOutcome = PackedText | { readonly problem: string };

/** A file that takes longer is given up. */
const TIMEOUT_MS = 60_000;

/** Has a worker take the text out of PDF, DOCX and EPUB. It is started with the first file. */
export class Extractor {
  #pool: WorkerPool<PackedFile, ExtractOutcome, undefined> | undefined;

  /** @param file Its memory goes to the worker. */
  async extract(file: PackedFile): Promise<ExtractOutcome> {
    const { WorkerPool } = await importLater<typeof import("./worker/worker_pool.ts")>(
      new URL("./worker/worker_pool.ts", import.meta.url),
    );
    this.#pool ??= new WorkerPool({
      name: "reading",
      url: new URL("./extract_worker.ts", import.meta.url),
      setup: () => undefined,
      size: 1,
      maxQueued: 1,
      timeoutMs: TIMEOUT_MS,
      onReplaced: () => {},
    });
    try {
      return await this.#pool.run(file, { transfer: [file.bytes.buffer] });
    } catch (error) {
      if (!(error instanceof SearchError)) throw error;
      if (error.code === "timeout") {
        return { problem: `it took longer than ${TIMEOUT_MS / 1000} s` };
      }
      return { problem: error.message };
    }
  }

  /** Ends the worker, and gives its memory back; the next file starts one again. */
  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.close();
  }
}
