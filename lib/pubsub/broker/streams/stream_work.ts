/**
 * What a broker does with streams for its clients. It is loaded where a broker has a store.
 *
 * @module
 */
export { performStreamOperation } from "./stream_operations.ts";
export { keepPublication, storedRefusal } from "./stored_publication.ts";
