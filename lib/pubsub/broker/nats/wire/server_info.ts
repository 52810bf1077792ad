import { NatsProtocolError } from "./nats_parser.ts";

/** What a server says of itself, as far as it is used. */
export interface ServerInfo {
  readonly maxPayload: number;
  /** Whether it takes messages with headers. */
  readonly headers: boolean;
  /** What a client has to sign to log in. */
  readonly nonce: string | undefined;
  /** Whether it talks to nobody without TLS, and whether it talks TLS at all. */
  readonly tlsRequired: boolean;
  readonly tlsAvailable: boolean;
  /** The addresses of its cluster's servers, as `HOST:PORT`. */
  readonly connectUrls: readonly string[];
}

/** The largest message where a server does not say it: NATS's default, in bytes. */
export const DEFAULT_MAX_PAYLOAD = 1_048_576;

/** @throws {NatsProtocolError} if it is no JSON object. */
export function readServerInfo(json: string): ServerInfo {
  let info: Record<string, unknown>;
  try {
    info = Object(JSON.parse(json));
  } catch (cause) {
    throw new NatsProtocolError("A server describes itself by what is no JSON", { cause });
  }
  const { max_payload: max, nonce, connect_urls: urls } = info;
  return {
    maxPayload: Number.isSafeInteger(max) ? max as number : DEFAULT_MAX_PAYLOAD,
    headers: info["headers"] === true,
    nonce: typeof nonce === "string" ? nonce : undefined,
    tlsRequired: info["tls_required"] === true,
    tlsAvailable: info["tls_required"] === true || info["tls_available"] === true,
    connectUrls: Array.isArray(urls) ? urls.filter((url) => typeof url === "string") : [],
  };
}
