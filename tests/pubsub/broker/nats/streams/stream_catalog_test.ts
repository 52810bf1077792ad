import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { JetStreamApi } from "../../../../../lib/pubsub/broker/nats/streams/jetstream_api.ts";
import { StreamCatalog } from "../../../../../lib/pubsub/broker/nats/streams/stream_catalog.ts";
import { streamConfigOf } from "../../../../../lib/pubsub/broker/nats/streams/stream_config.ts";
import { StreamError } from "../../../../../lib/pubsub/broker/streams/stream_error.ts";
import { newStreamSettings } from "../../../../../lib/pubsub/broker/streams/stream_settings.ts";

/** What JetStream has: the names of streams, and those of them that have a leader. */
interface Has {
  readonly names: readonly string[];
  readonly led: readonly string[];
}

const DOWN = new StreamError("unavailable", "JetStream is down");

/** A catalog of a JetStream that has what the function says, or throws. */
function catalogOf(has: () => Has): StreamCatalog {
  const info = (name: string) =>
    ({
      config: streamConfigOf(name, newStreamSettings([`${name}.>`])),
      created: "2026-01-31T12:00:00Z",
      state: { first_seq: 1, last_seq: 0, messages: 0, bytes: 0, consumer_count: 0 },
    }) as StreamInfo;
  const manager = {
    streams: {
      names: () => has().names,
      list: () => has().led.map(info),
      info: (name: string) => {
        const { names, led } = has();
        if (led.includes(name)) return info(name);
        throw names.includes(name) ? DOWN : new StreamError("no-stream", "None");
      },
    },
  } as unknown as JetStreamManager;
  type Use = (manager: JetStreamManager) => unknown;
  const api = {
    do: async (_: string, use: Use) => await use(manager),
    find: async (_: string, use: Use) => {
      try {
        return await use(manager);
      } catch (error) {
        if ((error as StreamError).code !== "no-stream") throw error;
        return undefined;
      }
    },
  } as unknown as JetStreamApi;
  const announce = () => Promise.resolve();
  return new StreamCatalog(api, { topicsChanged() {}, deleted() {}, announce });
}

Deno.test("that no stream keeps a topic is known once all that have a name have been seen", async () => {
  let has: Has | undefined;
  const catalog = catalogOf(() => {
    if (has === undefined) throw DOWN;
    return has;
  });
  assertStringIncludes(catalog.unseen!, "has not told yet");
  await assertRejects(() => catalog.look(), StreamError, DOWN.message);
  assertEquals(catalog.unseen, DOWN.message);

  has = { names: ["a", "b"], led: ["a"] };
  await catalog.look();
  assertEquals(catalog.streamOf("a.1"), "a");
  assertEquals(catalog.unseen, 'the stream "b" has no leader at the moment');

  has = { names: ["a", "b"], led: ["a", "b"] };
  await catalog.look();
  assertEquals([catalog.unseen, catalog.streamOf("b.1")], [undefined, "b"]);

  // What has been seen is still known when it has no leader any more.
  has = { names: ["a", "b"], led: ["a"] };
  await assertRejects(() => catalog.look(), StreamError, DOWN.message);
  assertEquals(catalog.streamOf("b.1"), "b");

  has = { names: ["a"], led: ["a"] };
  await catalog.look();
  assertEquals([catalog.unseen, catalog.streamOf("b.1")], [undefined, undefined]);
});

Deno.test("where NATS has no JetStream there are no streams, unless some have been seen", async () => {
  const cause = Object.assign(new Error("none"), { name: "JetStreamNotEnabled" });
  const none = new StreamError("unavailable", "None", undefined, { cause });
  let has: Has | undefined;
  const catalog = catalogOf(() => {
    if (has === undefined) throw none;
    return has;
  });
  await assertRejects(() => catalog.look(), StreamError);
  assertEquals(catalog.unseen, undefined);
  has = { names: ["a"], led: ["a"] };
  await catalog.look();
  has = undefined;
  await assertRejects(() => catalog.look(), StreamError);
  assertEquals([catalog.unseen, catalog.streamOf("a.1")], ["None", "a"]);
});
