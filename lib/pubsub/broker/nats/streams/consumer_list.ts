import type { ApiError, ConsumerInfo } from "@nats-io/jetstream";
import { quote } from "../../../protocol/quote.ts";
import { isDurable } from "./consumer_config.ts";
import type { JetStreamApi } from "./jetstream_api.ts";

/** The consumers of a stream that clients may use. */
export interface ConsumerList {
  readonly infos: readonly ConsumerInfo[];
  /** Why there may be others; `undefined` if these are all. */
  readonly lack: string | undefined;
}

/** A page of JetStream's list. */
interface Page {
  readonly error?: ApiError;
  /** In a cluster that is what the page has, and not what there is. */
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly consumers: ConsumerInfo[] | null;
  /** Those of this page that have no leader at the moment, by name. */
  readonly missing?: string[] | null;
}

/**
 * Lists the consumers of a stream.
 *
 * JetStream leaves out those that have no leader at the moment. Of those whose servers are all dead it
 * tells the settings and the name, one without the other: readers of others may be among them, whose
 * server takes them along.
 *
 * @throws {StreamError}
 */
export async function listConsumers(api: JetStreamApi, stream: string): Promise<ConsumerList> {
  const tried = `Cannot list the consumers of the stream ${quote(stream)}`;
  const infos: ConsumerInfo[] = [];
  let lack: string | undefined;
  for (let offset = 0;;) {
    const page = await api.ask<Page>(tried, `CONSUMER.LIST.${stream}`, { offset });
    const { consumers, missing, limit } = page;
    const listed = consumers ?? [];
    const absent = missing ?? [];
    const isDead = ({ name }: ConsumerInfo) => !name || absent.includes(name);
    const dead = listed.filter(isDead);
    infos.push(...listed.filter((info) => !isDead(info) && isDurable(info)));
    const lasting = absent.length - dead.filter(({ config }) => !config.durable_name).length;
    if (lasting > 0) {
      lack = `the consumer ${quote(absent[0]!)} of the stream ${quote(stream)} has no leader`;
    }
    const count = listed.length - dead.length + absent.length;
    if (count === 0 || count < limit) return { infos, lack };
    offset += count;
  }
}
