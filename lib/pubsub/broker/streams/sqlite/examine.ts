import type { DatabaseSync } from "node:sqlite";
import { FrameDecoder } from "../../../../frame/mod.ts";
import { closeQuietly } from "../../../../base/close_quietly.ts";
import { messageOf } from "../../../../base/message_of.ts";
import {
  asSqliteError,
  openReader,
  type SqliteErrorCode,
  versionOf,
} from "../../../../sqlite/mod.ts";
import { checksumOf } from "./checksum.ts";
import { contentFor, damageOf, missingRecords, readJournal } from "./journal/reading.ts";
import { encodeEnds } from "./run_frames.ts";
import { STREAM_SCHEMA } from "./schema.ts";
import { CONSUMERS, RECENT_IDS, RETAINED, smallRowProblems } from "./small_rows.ts";
import { Statements } from "./statements.ts";
import { loadStreams, type StreamRecord } from "./stream_record.ts";

/** What {@linkcode checkStreamStore} found. */
export interface StreamStoreCheck {
  /** How many streams there are. */
  readonly streams: number;
  /** Messages that are kept. */
  readonly messages: number;
  /** What is wrong, the first hundred things; empty if the store is whole. */
  readonly problems: readonly string[];
}

const MAX_PROBLEMS = 100;

/** Codes of what a damaged file is told by: `failed` where tables or columns are missing. */
const DAMAGE: readonly SqliteErrorCode[] = ["damaged", "not-a-database", "failed"];

/** From this version of the tables on, there is a log of message ids. */
const ID_LOG_VERSION = 2;

/** From this version on, rows tell where their frames end. */
const ENDS_VERSION = 3;

/** How far it has come: whether it is at the file's pages or at messages, and how many these are. */
type OnExamined = (progress: {
  readonly step: "pages" | "messages";
  readonly messages: number;
  readonly of: number;
}) => void;

/**
 * Looks for what is wrong with a database that nobody else has open.
 *
 * @param remains What {@linkcode remainsOf} tells of it.
 */
export function examineStore(
  path: string,
  remains: string | undefined,
  onExamined: OnExamined = () => {},
): StreamStoreCheck {
  if (remains !== undefined) return { streams: 0, messages: 0, problems: [remains] };
  const problems: string[] = [];
  let streams: StreamRecord[] = [];
  let uncounted = 0;
  let db: DatabaseSync | undefined;
  try {
    db = openReader(path);
    const version = versionOf(db, path, STREAM_SCHEMA);
    const hasEnds = version >= ENDS_VERSION;
    onExamined({ step: "pages", messages: 0, of: 0 });
    for (const row of db.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).all()) {
      const text = String(row["integrity_check"]);
      if (text !== "ok") problems.push(text);
    }
    const statements = new Statements(db);
    streams = loadStreams(statements);
    const of = streams.reduce((sum, { count }) => sum + count, 0);
    let messages = 0;
    const onRun = (count: number) => {
      messages += count;
      onExamined({ step: "messages", messages, of });
    };
    for (const stream of streams) {
      uncounted += checkStream(statements, stream, { hasEnds, problems, onRun });
    }
    const logs = version >= ID_LOG_VERSION ? [RECENT_IDS] : [];
    for (const problem of smallRowProblems(statements, [CONSUMERS, RETAINED, ...logs])) {
      if (problems.length >= MAX_PROBLEMS) break;
      problems.push(problem);
    }
    const journal = contentFor(db, readJournal(path));
    const damage = damageOf(journal);
    if (damage) problems.push(damage);
    for (const { count } of missingRecords(statements, journal.records)) uncounted += count;
  } catch (error) {
    const known = asSqliteError(error, path, "check");
    // Nothing is wrong with a database that is another's, or for which the disk has no room.
    if (!DAMAGE.includes(known.code)) throw known;
    problems.push(messageOf(error));
  } finally {
    closeQuietly(db);
  }
  return {
    streams: streams.length,
    messages: streams.reduce((sum, { count }) => sum + count, uncounted),
    problems: problems.slice(0, MAX_PROBLEMS),
  };
}

type RunRow = readonly [id: number, first: number, count: number, bytes: number, crc: number];

/** @returns how many messages the stream's row does not count: those that came after it was written. */
function checkStream(
  statements: Statements,
  stream: StreamRecord,
  { hasEnds, problems, onRun }: {
    readonly hasEnds: boolean;
    readonly problems: string[];
    readonly onRun: (messages: number) => void;
  },
): number {
  const { id, name, floor, next } = stream;
  let [after, count, bytes, uncounted] = [0, 0, 0, 0];
  while (problems.length < MAX_PROBLEMS) {
    const run = statements.row<RunRow>(
      "SELECT id, first, count, bytes, crc FROM run WHERE stream = ? AND first > ? " +
        "ORDER BY first LIMIT 1",
      id,
      after,
    );
    if (run === undefined) break;
    const [row, first, messages, size, crc] = run;
    onRun(messages);
    const where = `stream ${name}, messages ${first} to ${first + messages - 1}`;
    if (after > 0 && first <= after) problems.push(`${where}: some are there twice`);
    after = first + messages - 1;
    if (first < next && after >= next) {
      problems.push(`${where}: the next message is ${next}`);
    }
    const [frames, stored] = statements.row<[Uint8Array, Uint8Array | null]>(
      `SELECT frames, ${hasEnds ? "ends" : "NULL"} FROM run WHERE id = ?`,
      row,
    )!;
    if (frames.length !== size || checksumOf(frames) !== crc) {
      problems.push(`${where}: the checksum is wrong`);
      continue;
    }
    const decoded = new FrameDecoder({ maxContentBytes: Infinity }).decode(frames).frames;
    if (decoded.length !== messages) {
      problems.push(`${where}: there are ${decoded.length} frames`);
      continue;
    }
    const ends = encodeEnds(decoded.map(({ end }) => end));
    if (stored && (stored.length !== ends.length || stored.some((byte, i) => byte !== ends[i]))) {
      problems.push(`${where}: the ends of the frames are not as written`);
      continue;
    }
    const [bits] = statements.row<[Uint8Array]>("SELECT bits FROM gone WHERE run = ?", row) ?? [];
    decoded.forEach(({ start, end }, i) => {
      const isGone = bits !== undefined && (bits[i >> 3]! & (1 << (i & 7))) !== 0;
      if (isGone || first + i < floor) return;
      if (first >= next) uncounted++;
      else {
        count++;
        bytes += end - start;
      }
    });
  }
  if (problems.length === 0 && (count !== stream.count || bytes !== stream.bytes)) {
    const has = `${count} messages of ${bytes} bytes`;
    problems.push(`stream ${name}: it has ${has}, and counts ${stream.count} of ${stream.bytes}`);
  }
  return uncounted;
}
