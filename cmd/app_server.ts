/** The search app's server: `socktool app-server`. */
import { recordFlags } from "./_capture/recording.ts";
import { readingOptions } from "./_search/reading_options.ts";
import { searchObserver } from "./_search/search_observer.ts";
import type { Principal } from "../lib/access/mod.ts";
import type { RequestObserver } from "../lib/request/mod.ts";
// Not the whole room: the server starts without the client.
import { serveRequests } from "../lib/request/server/serve_requests.ts";
import { formatAddress } from "../lib/net/address.ts";
import type { SearchPages } from "./_search/search_pages.ts";
import { importLater } from "../lib/base/import_later.ts";
import {
  accessFlags,
  announce,
  authenticatorOf,
  checkAccess,
  type Context,
  defineCommand,
  describeError,
  formatBytes,
  httpFlags,
  jsonEvents,
  limitFlags,
  limitsOf,
  logAcceptFailures,
  logFormatFlag,
  outputFlags,
  runMain,
  serverTlsFlags,
  untilDrained,
  UsageError,
} from "./_cli/mod.ts";
import { openEntrance } from "./_web/entrance.ts";

export const command = defineCommand({
  name: "app-server",
  summary: "answer framed search requests, over files or the tutorial's three entries",
  role: "server",
  arguments: {
    address: {
      type: "address",
      default: "127.0.0.1:5634",
      help: "the address to listen on; port 0 picks a free port",
    },
  },
  flags: {
    data: {
      type: "path",
      repeat: true,
      group: "Data",
      help:
        "search in this folder of text, Markdown, HTML, PDF, DOCX and EPUB, or this JSON, JSON Lines, " +
        "CSV or TSV file",
    },
    index: {
      type: "path",
      hint: "file",
      placeholder: "FILE",
      group: "Data",
      help: "keep the index in this file, so that the next start reads only what changed",
    },
    follow: {
      type: "boolean",
      group: "Data",
      requires: ["data"],
      help: "follow links in the data, wherever they lead; without it they are skipped",
    },
    exclude: {
      type: "string",
      placeholder: "PATTERN",
      repeat: true,
      group: "Data",
      requires: ["data"],
      help: "leave out files and folders of the data by a pattern as in a .gitignore; a file " +
        ".socktoolignore has patterns for its folder",
    },
    watch: {
      type: "boolean",
      group: "Data",
      requires: ["data"],
      help: "index changes to the data while serving; data that are not there are waited for",
    },
    prune: {
      type: "boolean",
      group: "Data",
      requires: ["data", "index"],
      help:
        "remove the entries of a data folder that is empty at the start; by default they stay " +
        "until something is in it, as it may be a mount that is not there yet",
    },
    writable: { type: "boolean", group: "Data", help: "let clients put and delete entries" },
    "key-field": {
      type: "string",
      placeholder: "NAME",
      group: "Data",
      help:
        "use this field of a record as its key; none for no field. By default it is the first " +
        "of key, id, name and so on that differs in all records of its file, else the line is",
    },
    "title-field": {
      type: "string",
      placeholder: "NAME",
      group: "Data",
      help: "use this field of a record as its title",
    },
    "text-field": {
      type: "string",
      placeholder: "NAME",
      repeat: true,
      group: "Data",
      help: "use this field of a record as its text; by default all fields that hold text",
    },
    language: {
      type: "string",
      placeholder: "CODE",
      group: "Data",
      help: "find words in their other forms too, as in this language, such as en; documents " +
        "that say theirs are in that one",
    },
    records: {
      type: "string",
      placeholder: "NAME",
      group: "Data",
      help: "the records of a JSON file are in this field of it, such as results or data.items",
    },
    entries: {
      type: "boolean",
      group: "Data",
      help:
        "take each member of an object in a JSON file for an entry; by default only where all " +
        "of them are texts",
    },
    separator: {
      type: "string",
      placeholder: "CHARACTER",
      group: "Data",
      help: "the values of CSV are separated by this character, or tab; by default by what fits " +
        "the first records best",
    },
    encoding: {
      type: "string",
      placeholder: "NAME",
      group: "Data",
      help: "the encoding of files that do not say theirs; by default UTF-8, and where a file is " +
        "not that, what its bytes look like, which is told",
    },
    workers: {
      type: "integer",
      min: 1,
      max: 64,
      group: "Limits",
      help: "search in this many threads, of which costly searches leave one to the others; by " +
        "default one fewer than there are cores",
    },
    ...limitFlags,
    "frame-timeout": {
      type: "duration",
      default: "1m",
      group: "Limits",
      help: "close a connection whose request is incomplete after this time; 0 for never",
    },
    "max-entry": {
      type: "size",
      default: "4MiB",
      min: 1,
      max: 64 * 1024 * 1024,
      group: "Limits",
      help: "take in and store entries up to this size, title and text together",
    },
    "max-content": {
      type: "size",
      group: "Limits",
      help: "accept a request's content up to this size; by default 64KiB, with --writable " +
        "6 times --max-entry and 4KiB",
    },
    "max-pipelined": {
      type: "count",
      default: "128",
      min: 1,
      group: "Limits",
      help: "work on at most this many requests of one client at once",
    },
    ...accessFlags,
    insecure: {
      ...accessFlags.insecure,
      help: "with --writable or --http, and without --auth, listen even where other machines can " +
        "connect",
    },
    ...httpFlags,
    ...recordFlags,
    ...serverTlsFlags,
    ...logFormatFlag,
    ...outputFlags,
  },
  examples: [
    ["socktool app-server", "serve the tutorial's entries on 127.0.0.1:5634"],
    ["socktool app-server --data docs --watch", "serve a folder, and follow its changes"],
    [
      "socktool app-server :7000 --data wiki.jsonl --index wiki.db",
      "keep the index between starts",
    ],
  ],
  async run({ flags, args, given }, context) {
    const { signal } = context;
    const reading = readingOptions(flags);
    // A server that is only read is open to everybody who reaches it, unless --auth says otherwise.
    if (flags.writable) checkAccess(args.address, flags);
    else if (flags.insecure && flags.http === undefined) {
      throw new UsageError("--insecure means nothing without --writable or --http");
    }
    using authenticator = await authenticatorOf(flags, context);
    // Listens first: indexing may take minutes, and a port that is in use is to be told before.
    await using entrance = await openEntrance(args.address, flags, given, {
      command: "app-server",
      authenticator,
      may: mayReadStats,
    }, context);
    const { http } = entrance;
    const pages = http && await importPages();
    const { openSearch } = await importLater<typeof import("../lib/search/open_search.ts")>(
      new URL("../lib/search/open_search.ts", import.meta.url),
    );
    if (pages) http.add(pages.routes);
    await using engine = await openSearch({
      ...(flags.data.length > 0 ? { data: flags.data } : {}),
      ...(flags.index === undefined ? {} : { index: flags.index }),
      ...reading,
      ...(flags.workers === undefined ? {} : { workers: flags.workers }),
      follow: flags.follow,
      exclude: flags.exclude,
      watch: flags.watch,
      prune: flags.prune,
      writable: flags.writable,
      maxEntryBytes: flags["max-entry"],
      signal,
      observer: searchObserver(context, flags.json, http, pages),
    });
    const { searchHandler } = await importLater<typeof import("../lib/search/handler.ts")>(
      new URL("../lib/search/handler.ts", import.meta.url),
    );
    const handler = searchHandler(engine, { authenticator, principalOf: pages?.principalOf });
    const durations = http?.histogram(
      "request_duration",
      "How long requests take until their answer is there",
    );
    const figures = http && await importLater<typeof import("./_web/search_metrics.ts")>(
      new URL("./_web/search_metrics.ts", import.meta.url),
    );
    const answer = figures?.timed(handler, (ms) => durations!.observe(ms)) ?? handler;
    const server = serveRequests(entrance.listener, answer, {
      ...limitsOf(flags),
      frameTimeoutMs: flags["frame-timeout"],
      maxContentBytes: flags["max-content"] ?? engine.maxRequestBytes,
      maxPipelined: flags["max-pipelined"],
      signal,
      observer: serverObserver(context, flags.json),
    });
    await figures?.measureSearch(http!, engine, server);
    pages?.serve(server, answer);
    http?.ready();
    announce(server.address, context, flags.json);
    await untilDrained(server, context);
  },
});

/** Who may ask for the search app's figures on the wire may read them over HTTP. */
function mayReadStats(principal: Principal): boolean {
  const { allow, deny } = principal.permission("actions");
  return !deny.includes("stats") && (allow.includes("*") || allow.includes("stats"));
}

/** The pages, which are loaded only where they are served. */
async function importPages(): Promise<SearchPages> {
  const { SearchPages } = await importLater<typeof import("./_search/search_pages.ts")>(
    new URL("./_search/search_pages.ts", import.meta.url),
  );
  return new SearchPages();
}

function serverObserver({ out, log }: Context, json: boolean): RequestObserver {
  const events = jsonEvents(out);
  return {
    opened({ id, remote }) {
      if (json) events.print({ type: "opened", id, remote: formatAddress(remote) });
      else log.detail(`connection ${id} from ${formatAddress(remote)}`, { connection: id });
    },
    closed({ id, remote, readBytes, writtenBytes }, reason) {
      if (json) {
        events.print({
          type: "closed",
          id,
          remote: formatAddress(remote),
          reason,
          readBytes,
          writtenBytes,
        });
      } else {
        const bytes = `${formatBytes(readBytes)} in, ${formatBytes(writtenBytes)} out`;
        log.detail(`connection ${id} closed: ${reason}, ${bytes}`, { connection: id });
      }
    },
    acceptFailed: logAcceptFailures(log),
    requestFailed({ id }, error) {
      log.error(`a request of connection ${id} failed: ${describeError(error)}`, {
        connection: id,
      });
    },
    frameFailed({ id }, error) {
      log.detail(`connection ${id} sent a broken frame: ${error.message}`, { connection: id });
    },
  };
}

if (import.meta.main) await runMain(command);
