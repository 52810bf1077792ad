import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { PublicationHeads } from "../../../../lib/pubsub/client/publishing/publication_heads.ts";
import { topicProblem } from "../../../../lib/pubsub/mod.ts";

Deno.test("the topics of replies are told from others, whatever came before", () => {
  const inbox = fc.constantFrom(
    "_inbox.abc.",
    "_inbox.abcd.",
    "_inbox.-_9Z.",
    "_inbox.a b.",
    "inbox.a.",
  );
  const letter = fc.constantFrom(...'01azAZ_-.*"@[`{/:é ');
  const name = fc.oneof(
    fc.nat(9_999).map(String),
    fc.string({ unit: letter, maxLength: 3 }),
    fc.integer({ min: 62, max: 66 }).map((length) => "x".repeat(length)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(inbox, name), { maxLength: 20 }), (topics) => {
      const heads = new PublicationHeads();
      for (const [inbox, name] of topics) {
        const topic = inbox + name;
        const isReply = /^_inbox\.[\w-]{1,64}\.[\w-]{1,64}$/.test(topic);
        assertEquals(heads.isReply(topic), isReply, topic);
        if (isReply) assert(topicProblem(topic) === undefined);
      }
    }),
    { numRuns: 500 },
  );
});
