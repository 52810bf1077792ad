import type { FrameHeader } from "../../../../frame/mod.ts";
import type { MessageIds } from "./message_ids.ts";
import { messageIdOf } from "./publication_list.ts";
import type { Runs, StoredRun } from "./runs.ts";
import type { Statements } from "./statements.ts";
import type { StreamRecord } from "./stream_record.ts";

/**
 * Finds out what was not written about the last messages of a stream: how many there are, the last of
 * each topic, and their ids.
 */
export function recover(
  stream: StreamRecord,
  statements: Statements,
  runs: Runs,
  messageIds: MessageIds,
): void {
  const { id } = stream;
  for (let run = runs.after(id, stream.next - 1); run; run = runs.after(id, run.first)) {
    const [bytes] = statements.row<[number]>("SELECT bytes FROM run WHERE id = ?", run.id)!;
    const { first, count, time } = run;
    stream.next = first;
    stream.counted(count, bytes, time);
    for (const [i, header] of headersOf(runs, run).entries()) {
      stream.lastTopics.add(header["topic"] as string, first + i);
      const messageId = messageIdOf(header);
      if (messageId !== "") messageIds.add(stream, messageId, first + i, time);
    }
    stream.committed();
    messageIds.committed();
  }
}

/** None where the frames are broken: that is told to who reads them, and by who checks the store. */
function headersOf(runs: Runs, run: StoredRun): FrameHeader[] {
  try {
    const frames = runs.frames(run);
    return Array.from({ length: frames.count }, (_, i) => frames.at(i).header);
  } catch {
    return [];
  }
}
