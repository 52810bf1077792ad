import { ByteCache } from "../base/byte_cache.ts";
import type { FrameHeader } from "./header.ts";

/**
 * Remembers parsed headers by their bytes, so that a header with the same bytes is not parsed
 * again. All connections of a server may share one cache, because headers are frozen.
 */
export class HeaderCache extends ByteCache<FrameHeader> {}
