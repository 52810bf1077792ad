/** Message ids that are not saved are what was added, whatever letters they have and however many they are. */
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { anyCharacter } from "../../../support/any_character.ts";
import { IdList } from "../../../../lib/pubsub/broker/streams/sqlite/id_list.ts";
import { hashOf, IdTable } from "../../../../lib/pubsub/broker/streams/sqlite/id_table.ts";

type Entry = readonly [id: string, seq: number, time: number];

const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ id: fc.string({ unit: anyCharacter }), gap: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ keep: fc.double({ min: 0, max: 1, noNaN: true }) }) },
    { weight: 1, arbitrary: fc.record({ many: fc.nat(400) }) },
  ),
  { maxLength: 60 },
);

Deno.test("a list has the ids that were added and not forgotten, in their order", () => {
  fc.assert(fc.property(steps, (all) => {
    const list = new IdList();
    let model: Entry[] = [];
    let seq = 0;
    const add = (id: string, gap: number) => {
      seq += 1 + gap;
      list.add(id, seq, 7 * seq);
      model.push([id, seq, 7 * seq]);
    };
    for (const step of all) {
      if ("id" in step) add(step.id, step.gap);
      else if ("many" in step) { for (let i = 0; i < step.many; i++) add(`${i}`.repeat(9), 0); }
      else {
        model = model.slice(0, Math.floor(step.keep * model.length));
        list.truncate(model.length);
      }
    }
    const entries = Array.from({ length: list.length }, (_, i): Entry => [
      list.idAt(i),
      list.seqAt(i),
      list.timeAt(i),
    ]);
    assertEquals(entries, model);
    const half = model.length >> 1;
    assertEquals(list.idsIn(0, half), model.slice(0, half).map(([id]) => id));
    assertEquals(list.idsIn(half, model.length), model.slice(half).map(([id]) => id));
    for (let each = 0; each <= seq + 1; each++) {
      assertEquals(list.indexOf(each), model.findIndex(([, of]) => of === each));
    }
  }));
});

Deno.test("a table without those from a number on finds all others, and none of them", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(300), (count, kept) => {
    const table = new IdTable(1);
    for (let seq = 1; seq <= count; seq++) table.add(hashOf(`n${seq}`), seq, seq);
    const left = Math.min(kept, count);
    assertEquals(table.removeFrom(left + 1), count - left);
    assertEquals([table.size, table.last], [left, left]);
    for (let seq = 1; seq <= count; seq++) {
      const place = table.find(hashOf(`n${seq}`));
      assertEquals(place >= 0 ? table.seqAt(place) : undefined, seq <= left ? seq : undefined);
    }
  }));
});
