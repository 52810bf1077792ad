import { ByteCache } from "../base/byte_cache.ts";
import type { FrameHeader } from "./header.ts";

/**
 * Headers by their bytes: one equal to an earlier one is not parsed again. Headers are frozen, so
 * one cache may serve many decoders, such as all connections of a server.
 */
export class HeaderCache extends ByteCache<FrameHeader> {}
