import type { Frame, FrameHeader } from "../../../../frame/mod.ts";

/** A publication that is to be stored. */
export interface NewMessage {
  /** Its frame. */
  readonly bytes: Uint8Array;
  readonly topic: string;
  /** The id that it asks to be stored with; empty if it has none. */
  readonly messageId: string;
  /** The number that its topic's last message has to have; -1 for any. */
  readonly expected: number;
}

/** A frame as a publication that is to be stored. Its bytes are a view. */
export function newMessage({ header, bytes }: Frame): NewMessage {
  const topic = header["topic"] as string;
  return { bytes, topic, messageId: messageIdOf(header), expected: expectedOf(header) };
}

/** The id that a publication's header asks to be stored with; empty if there is none. */
export function messageIdOf(header: FrameHeader): string {
  return header["stored"] === true ? header["msg-id"] as string | undefined ?? "" : "";
}

function expectedOf(header: FrameHeader): number {
  return header["stored"] === true ? header["expect-seq"] as number | undefined ?? -1 : -1;
}

/**
 * What is to be known of some publications whose frames lie one behind the other. The broker has read
 * their headers: to read them once more would take the thread that writes a third of its time. It can
 * be posted.
 */
export interface PublicationList {
  /** Where the frame of each ends. */
  readonly ends: number[];
  readonly topics: string[];
  /** As in {@linkcode NewMessage}. */
  readonly messageIds: string[];
  readonly expected: number[];
}

/** A list of none. */
export function newPublicationList(): PublicationList {
  return { ends: [], topics: [], messageIds: [], expected: [] };
}

/** Adds a publication. @param end Where its frame ends. */
export function addPublication(
  { ends, topics, messageIds, expected }: PublicationList,
  header: FrameHeader,
  end: number,
): void {
  ends.push(end);
  topics.push(header["topic"] as string);
  messageIds.push(messageIdOf(header));
  expected.push(expectedOf(header));
}
