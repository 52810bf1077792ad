import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import { INBOX_PREFIX } from "../../protocol/topic.ts";

/** The bytes of a token that nobody guesses. */
const TOKEN_BYTES = 16;

/**
 * The inboxes of connections, to which the replies to their requests are published. Everybody may
 * publish there; only the connection itself may subscribe.
 */
export class Inboxes {
  readonly #open = new Set<string>();
  readonly #onlyOwn: boolean;

  /** @param onlyOwn Whether inboxes that no connection owns may not be subscribed to. */
  constructor(onlyOwn: boolean) {
    this.#onlyOwn = onlyOwn;
  }

  /** Opens an inbox; returns its token. */
  open(): string {
    const bytes = crypto.getRandomValues(new Uint8Array(TOKEN_BYTES));
    const token = bytes.toHex();
    this.#open.add(token);
    return token;
  }

  /** Closes an inbox, if there is one. */
  close(token: string | undefined): void {
    if (token !== undefined) this.#open.delete(token);
  }

  /**
   * Why a connection may not subscribe to a filter below `_inbox.`; `undefined` if it may, and for
   * all other filters.
   *
   * @param own The token of the connection's inbox.
   */
  refusal(filter: string, own: string | undefined): Refusal | undefined {
    if (!filter.startsWith(INBOX_PREFIX)) return undefined;
    const [, token] = filter.split(".");
    if (own !== undefined && token === own) return undefined;
    if (!this.#onlyOwn && !this.#open.has(token!)) return undefined;
    const message = `Cannot subscribe to ${quote(filter)}: it is not this connection's inbox`;
    return { code: "forbidden", message };
  }
}
