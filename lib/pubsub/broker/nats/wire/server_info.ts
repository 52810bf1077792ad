import { MAX_PAYLOAD } from "./max_payload.ts";
import { NatsProtocolError } from "./nats_parser.ts";

/** What a server says of itself, as far as it is used. */
export interface ServerInfo {
  readonly maxPayload: number;
  /** Three numbers, as `2.10.4`. */
  readonly version: string;
  /** The name of its cluster; `undefined` if it is alone. */
  readonly cluster: string | undefined;
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

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number > 0;
}

/** @throws {NatsProtocolError} if it is no JSON object. */
export function readServerInfo(json: string): ServerInfo {
  let info: Record<string, unknown>;
  try {
    info = Object(JSON.parse(json));
  } catch (cause) {
    throw new NatsProtocolError("A server describes itself by what is no JSON", { cause });
  }
  const { max_payload: max, version, cluster, nonce, connect_urls: urls } = info;
  return {
    maxPayload: isSize(max) ? Math.min(max, MAX_PAYLOAD) : DEFAULT_MAX_PAYLOAD,
    version: /^\d{1,5}\.\d{1,5}\.\d{1,5}/.exec(String(version))?.[0] ?? "0.0.0",
    cluster: typeof cluster === "string" ? cluster : undefined,
    headers: info["headers"] === true,
    nonce: typeof nonce === "string" ? nonce : undefined,
    tlsRequired: info["tls_required"] === true,
    tlsAvailable: info["tls_required"] === true || info["tls_available"] === true,
    connectUrls: Array.isArray(urls) ? urls.filter((url) => typeof url === "string") : [],
  };
}
