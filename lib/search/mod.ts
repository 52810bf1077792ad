/**
 * A search engine on SQLite's FTS5: exact lookups, ranked full-text search and completions, of data
 * in files and of what clients store.
 *
 * {@linkcode openSearch} opens one. Searches run in worker threads and do not block the caller's
 * event loop. {@linkcode SearchEngine.lookup} is synchronous and takes microseconds.
 *
 * @module
 */
export { searchHandler, type SearchHandlerOptions } from "./handler.ts";
export { SEARCH_RIGHTS } from "./search_rights.ts";
export { openSearch } from "./open_search.ts";
export { SearchError, type SearchErrorCode, type SearchErrorOptions } from "./error.ts";
export type {
  BrokenRecord,
  DataPathEvent,
  DuplicateKey,
  IndexProgress,
  IndexSummary,
  ReadingNote,
  ReadOption,
  SearchObserver,
  SkippedFile,
  WatchEvent,
  WorkerRole,
} from "./observer.ts";
export type { SearchOptions } from "./options.ts";
export type {
  Highlight,
  SearchEngine,
  SearchEntry,
  SearchHit,
  SearchQueryOptions,
  SearchResult,
  SearchStats,
  Suggestion,
  SuggestOptions,
} from "./types.ts";
export { backupIndex, checkIndex, type IndexCheck } from "./index/index_care.ts";
export { TUTORIAL_ENTRIES } from "./tutorial.ts";
export { LANGUAGES as SEARCH_LANGUAGES } from "./words/stemmer.ts";

// What these refer to, of other parts of the library.
export type * from "../frame/frame_types.ts";
export type * from "../net/peer_types.ts";
export type {
  Authenticator,
  Credentials,
  LoginAttempt,
  NamedRights,
  Permission,
  Principal,
  RightsGrammar,
  TextCheck,
} from "../access/mod.ts";
export type { ReplyInit, RequestHandler } from "../request/mod.ts";
