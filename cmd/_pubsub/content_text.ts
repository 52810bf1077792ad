import { ContentError } from "../../lib/frame/content.ts";
import type { PubSubMessage } from "../../lib/pubsub/mod.ts";

/** Whether a `content-encoding` is UTF-8, in which texts are published. */
export function isUtf8(encoding: string): boolean {
  return /^utf[-_]?8$/i.test(encoding);
}

/** The content as text; `undefined` if it is not text. */
export function contentText(message: PubSubMessage): string | undefined {
  if (message.header["content-encoding"] === "binary") return undefined;
  try {
    return message.text();
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
}
