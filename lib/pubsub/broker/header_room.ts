/**
 * How large and complex a publication's header may be. Brokers add fields to it: for a group, for
 * readers of a stream, for dead letters. If that made it too large or too complex, subscribers would
 * take it for a broken one and close their connections.
 *
 * @module
 */
import { MAX_HEADER_MEMBERS, memberCount } from "../../frame/header_nesting.ts";
import type { FrameHeader } from "../../frame/mod.ts";

/** The largest header of a publication in bytes; 65,535 are possible. */
export const MAX_HEADER_BYTES = 64_000;

/** Members and elements that brokers may add. */
const ADDED_MEMBERS = 50;

/** The most members and elements in the header of a publication. */
const MAX_MEMBERS = MAX_HEADER_MEMBERS - ADDED_MEMBERS;

/** The fewest bytes that a member or an element takes: the three of `{},` count as two. */
const MEMBER_BYTES = 1.5;

/**
 * What is wrong with a header that leaves too little room, as a sentence; `undefined` if nothing is.
 *
 * @param bytes The size of the header. Most are too small to have many members.
 */
export function membersProblem(header: FrameHeader, bytes: number): string | undefined {
  if (bytes < MAX_MEMBERS * MEMBER_BYTES || memberCount(header) <= MAX_MEMBERS) return undefined;
  return `The header has more than ${MAX_MEMBERS} members and elements`;
}
