import type { Context, FlagTable } from "../_cli/mod.ts";
import { UsageError } from "../_cli/mod.ts";
import { Template } from "../../lib/load/template.ts";

/** What is sent by `--protocol frames`. */
export const requestFlags = {
  protocol: {
    type: "choice",
    choices: ["bytes", "frames"],
    default: "bytes",
    group: "Load",
    help: "bytes: messages as they are; frames: requests to an app server or any server of frames",
  },
  request: {
    type: "string",
    repeat: true,
    placeholder: "JSON",
    group: "Load",
    help: "with --protocol frames: make this request; several are made in turn",
  },
  requests: {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "Load",
    help:
      "with --protocol frames: make the requests of this file: a JSON value on each line, or a " +
      "pcapng or pcap file, as --record makes them",
  },
  seed: {
    type: "integer",
    min: 0,
    group: "Load",
    requires: ["requests"],
    help: "shuffle the requests of the file; the same number gives the same order",
  },
} as const satisfies FlagTable;

/** The values of {@linkcode requestFlags} that say what is asked. */
export interface RequestFlagValues {
  readonly request: readonly string[];
  readonly requests: string | undefined;
  readonly seed: number | undefined;
}

/** A file of requests is read whole. */
const MAX_FILE_BYTES = 67_108_864;

/**
 * The requests that a command line asks for, as JSON.
 *
 * @throws {UsageError} if there is none, or one is no JSON.
 */
export async function requestsOf(
  flags: RequestFlagValues,
  context: Context,
): Promise<string[]> {
  flags.request.forEach((text) => checkJson(text, "--request"));
  const fromFile = flags.requests === undefined ? [] : await readRequests(flags.requests, context);
  if (flags.seed !== undefined) shuffle(fromFile, flags.seed);
  const all = [...flags.request, ...fromFile];
  if (all.length > 0) return all;
  throw new UsageError(
    '--protocol frames: say what to ask, as in --request \'{"action":"search","value":"ring"}\'',
  );
}

async function readRequests(path: string, context: Context): Promise<string[]> {
  const { isCapture, requestsInCapture } = await import("./captured_requests.ts");
  if (await isCapture(path)) return await requestsInCapture(path, context);
  const { size } = await Deno.stat(path);
  if (size > MAX_FILE_BYTES) throw new UsageError(`--requests: ${path} is larger than 64 MiB`);
  const requests: string[] = [];
  for (const [index, line] of (await Deno.readTextFile(path)).split("\n").entries()) {
    if (line.trim() === "") continue;
    checkJson(line, `--requests: ${path}, line ${index + 1}`);
    requests.push(line);
  }
  if (requests.length === 0) throw new UsageError(`--requests: ${path} has no request`);
  return requests;
}

function checkJson(text: string, where: string): void {
  try {
    JSON.parse(new Template(text).render({ seq: 1, conn: 1 }));
  } catch {
    throw new UsageError(`${where}: ${JSON.stringify(text.slice(0, 80))} is no JSON`);
  }
}

/** Shuffles by Fisher and Yates, with the random numbers of "mulberry32". */
function shuffle(list: string[], seed: number): void {
  let state = seed >>> 0;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [list[i], list[j]] = [list[j]!, list[i]!];
  }
}
