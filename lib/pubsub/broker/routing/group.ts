import { type Group, type Receiver, type Subscription, wants } from "./subscription.ts";

const encoder = new TextEncoder();

/** Makes a group without members. */
export function createGroup(name: string, filter: string): Group {
  const tail = `,"group":${JSON.stringify(name)},"filter":${JSON.stringify(filter)}}`;
  return { name, headerTail: encoder.encode(tail), members: [], next: 0 };
}

/** How many congested members of a group are passed over for one publication. */
const MAX_PASSED_OVER = 64;

/** The member that {@linkcode pickMember} would pick; it is its turn until that is called. */
export function nextMember(group: Group, publisher?: Receiver): Subscription | undefined {
  return group.members[nextIndex(group, publisher)];
}

/**
 * The member whose turn it is. Congested members are passed over, up to 64 of them, if one follows
 * that is not: a group shares work, and what waits behind a slow member is not being done.
 *
 * @param publisher The connection that published: a member that wants nothing of its own is not
 * picked.
 * @returns `undefined` if there is no such member. One whose connection has ended is none: it may take
 * a moment until it leaves its groups.
 */
export function pickMember(group: Group, publisher?: Receiver): Subscription | undefined {
  const index = nextIndex(group, publisher);
  if (index < 0) return undefined;
  group.next = index + 1;
  return group.members[index];
}

function nextIndex({ members, next }: Group, publisher: Receiver | undefined): number {
  const count = members.length;
  const first = next < count ? next : 0;
  let fallback = -1;
  for (let i = 0; i < count && (i < MAX_PASSED_OVER || fallback < 0); i++) {
    const at = first + i < count ? first + i : first + i - count;
    const member = members[at]!;
    if (member.receiver.ended || (member.limits && !wants(member, publisher))) continue;
    if (!member.receiver.congested) return at;
    if (fallback < 0) fallback = at;
  }
  return fallback;
}
