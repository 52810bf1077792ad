import type { PublishOptions } from "../../lib/pubsub/mod.ts";

/** A publication from the command line or stdin. */
export interface Outgoing {
  readonly topic: string;
  readonly content: Uint8Array | string;
  /** What its line says of how to publish it. */
  readonly options?: PublishOptions | undefined;
  /** The number of its line on stdin, from 1. */
  readonly line?: number | undefined;
}

/** Where a publication came from, for messages. */
export function nameOf({ topic, line }: Outgoing): string {
  return line === undefined ? topic : `line ${line}, ${topic}`;
}
