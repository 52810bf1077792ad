/** How to publish. */
export interface PublishOptions {
  /** Keeps it as the topic's last value; empty content clears that. @default {false} */
  readonly retain?: boolean | undefined;
  /** The topic that replies are to be published on. */
  readonly replyTo?: string | undefined;
  /** Without it, that of `fields`, else `text/plain` for a text and `application/octet-stream`. */
  readonly contentType?: string | undefined;
  /**
   * Further fields of the header: any values of JSON, up to 900 members and elements. `op`, `topic`, `id`,
   * `retain`, `reply-to` and `ok-if` are the client's to set, and are left out.
   */
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/** How the client itself publishes. */
export interface SendOptions extends PublishOptions {
  /** With an id and `nobody`, the broker confirms it only where nobody gets it. */
  readonly okIf?: "nobody" | undefined;
  /** The broker is to store it before it confirms it. */
  readonly stored?: StoredFields | undefined;
}

/** The fields of a publication that is to be stored. */
export interface StoredFields {
  readonly messageId: string;
  readonly expectSeq: number | undefined;
}

/** How to publish and wait for the broker. */
export interface ConfirmOptions extends PublishOptions {
  /** The longest time until the broker has answered. @default {Infinity} */
  readonly timeoutMs?: number | undefined;
  /**
   * Whether the number of receivers has to be that of all. A broker of several knows only its own:
   * the publication is sent there too, but `receivers-unknown` is thrown.
   *
   * @default {false}
   */
  readonly exact?: boolean | undefined;
}

/** What a broker answers that has dealt with a publication. */
export interface Confirmation {
  /** To how many connections it was handed; of a broker of several, to how many that it knows of. */
  readonly receivers: number;
  /** Whether these are all. A broker of several does not know how many the others have. */
  readonly exact: boolean;
}

/** How to publish and wait for an answer. */
export interface RequestOptions extends PublishOptions {
  /** The longest time until the reply is there. @default {10_000} */
  readonly timeoutMs?: number | undefined;
}
