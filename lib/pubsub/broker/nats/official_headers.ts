/**
 * The headers of messages that the official client brings, read from their bytes: the client looks
 * through all headers before each, and throws at a name with other characters than those of ASCII.
 *
 * @module
 */
import type { JsMsg, StoredMsg } from "@nats-io/jetstream";
import type { Msg, MsgImpl } from "@nats-io/transport-node";
import { type CarriedFields, NO_FIELDS, readHeaders } from "./message_headers.ts";
import { headersIn } from "./wire/nats_message.ts";

/** What the headers of a message say. */
export function fieldsOf(message: Msg): CarriedFields {
  const { _rdata: bytes, _msg: { hdr } } = message as MsgImpl;
  return hdr > 0 ? fieldsIn(bytes.subarray(0, hdr)) : NO_FIELDS;
}

/** The same of one that a consumer of the client's brings. */
export function fieldsOfDelivered(message: JsMsg): CarriedFields {
  return fieldsOf((message as JsMsg & { readonly msg: Msg }).msg);
}

/** The same of one that JetStream was asked for. */
export function fieldsOfStored(stored: StoredMsg): CarriedFields {
  const { smr } = stored as StoredMsg & { readonly smr: { message: { hdrs?: string } } };
  const { hdrs } = smr.message;
  return hdrs === undefined ? NO_FIELDS : fieldsIn(Uint8Array.fromBase64(hdrs));
}

function fieldsIn(block: Uint8Array): CarriedFields {
  const byName = new Map<string, string[]>();
  // Of several with one name the first counts.
  for (const [name, value] of headersIn(block)) if (!byName.has(name)) byName.set(name, [value]);
  return readHeaders(byName);
}
