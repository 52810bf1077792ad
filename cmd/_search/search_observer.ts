import type { DataPathEvent, IndexSummary, SearchObserver } from "../../lib/search/mod.ts";
import { type Context, describeError, formatDuration } from "../_cli/mod.ts";
import type { HttpSide } from "../_web/http_side.ts";
import { flagOf, ReadingLines } from "./reading_lines.ts";
import type { SearchPages } from "./search_pages.ts";

/** Tells the operator, and those who look at the pages, what becomes of the data and of its index. */
export function searchObserver(
  { out, log, progress, manager }: Context,
  json: boolean,
  http: HttpSide | undefined,
  pages: SearchPages | undefined,
): SearchObserver {
  const lines = new ReadingLines(log);
  const told = (type: string, event: object) => json && out.json({ type, ...event });
  return {
    progress({ doneBytes, totalBytes, entries, path }) {
      const percent = totalBytes > 0 ? Math.floor(100 * doneBytes / totalBytes) : 100;
      progress.show(() => `indexing: ${percent} %, ${entries} entries, ${path}`);
      manager?.starting(`indexing: ${percent} %`);
      if (http) http.starting = { detail: "indexing", progress: percent / 100 };
      pages?.progressed(percent / 100, path);
    },
    brokenRecord(event) {
      if (!told("broken-record", event)) {
        const flag = flagOf(event.option, "takes it in");
        log.warn(`${event.path}:${event.line}: record skipped: ${event.reason}${flag}`);
      }
    },
    duplicateKey(event) {
      if (!told("duplicate-key", event)) {
        log.detail(
          `${event.path}:${event.line}: an earlier record has the key ${JSON.stringify(event.key)}`,
        );
      }
    },
    skippedFile(event) {
      if (!told("skipped-file", event)) lines.skipped(event);
    },
    dataPath(event) {
      if (!told("data-path", event)) log.warn(dataPathLine(event));
    },
    watching({ problem }) {
      if (told("watching", { problem: problem ?? null })) return;
      if (problem === undefined) log.info("the system tells of changes in the data again");
      else log.warn(`${UNWATCHED}: ${problem}${WATCH_ADVICE}`);
    },
    readingNote(event) {
      if (!told("reading-note", event)) lines.note(event);
    },
    indexed(event) {
      progress.clear();
      pages?.indexed(event);
      lines.finish();
      if (!told("indexed", event)) log.info(summaryLine(event));
    },
    failed(error) {
      log.warn(`the data could not be read again: ${describeError(error)}`);
    },
    workerReplaced({ role, reason }) {
      log.warn(`a ${role} worker ended and was replaced: ${reason}`);
    },
  };
}

const UNWATCHED = "the system cannot watch the data, which are looked at every 30 s instead";

const WATCH_ADVICE = Deno.build.os === "linux"
  ? " (sysctl fs.inotify.max_user_watches, or fs.inotify.max_user_instances, may be too low)"
  : "";

function dataPathLine({ path, state, isKept }: DataPathEvent): string {
  switch (state) {
    case "missing":
      return `${path} does not exist; it is waited for${isKept ? ", and its entries stay" : ""}`;
    case "empty":
      return `${path} is empty, but the index has entries of it; they stay until something is in ` +
        "it (--prune removes them)";
    case "gone":
      return `${path} is gone; its entries were removed, and are taken in again when it is back`;
    case "back":
      return `${path} is back`;
  }
}

function summaryLine(event: IndexSummary): string {
  const { added, updated, removed, unchanged, skipped, broken, duplicates, durationMs } = event;
  const parts = [
    [added, "added"],
    [updated, "updated"],
    [removed, "removed"],
    [unchanged, "unchanged"],
    [broken, "broken and skipped"],
    [duplicates, "with a key that their file has twice"],
  ].filter(([count]) => count !== 0).map(([count, what]) => `${count} ${what}`);
  const files = skipped > 0 ? `; ${skipped} file${skipped === 1 ? "" : "s"} skipped` : "";
  return `indexed in ${formatDuration(durationMs)}: ${parts.join(", ") || "no entries"}${files}`;
}
