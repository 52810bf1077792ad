import { ByteCache } from "../base/byte_cache.ts";
import type { FrameHeader } from "./header.ts";

/**
 * Remembers parsed headers by their bytes, so that a header with the same bytes is not parsed
 * again. Headers are frozen, so many decoders may share a cache, such as those of all connections
 * of a server.
 */
export class HeaderCache extends ByteCache<FrameHeader> {}
