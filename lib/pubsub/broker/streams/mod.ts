/**
 * A store of streams in an SQLite database, and its care.
 *
 * @module
 */
export { openStreamStore, type StreamStoreOptions } from "./sqlite/sqlite_stream_store.ts";
export { backupStreamStore, checkStreamStore } from "./sqlite/care.ts";
export type { StreamStoreCheck } from "./sqlite/examine.ts";
export type { StreamStoreCareOptions, StreamStoreProgress } from "./sqlite/in_care_thread.ts";
export { repairStreamStore, type StreamStoreRepair } from "./sqlite/repair.ts";
export { newStreamSettings, topicsProblem } from "./stream_settings.ts";
export { nameProblem } from "./stream_rights.ts";
export { StreamError } from "./stream_error.ts";
export type * from "./stream_store.ts";
