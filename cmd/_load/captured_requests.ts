import { type FrameEvent, readCapture, viewOf, watchFrames } from "../../lib/capture/mod.ts";
import { Template } from "../../lib/load/template.ts";
import { type Context, formatBytes, formatCount, UsageError } from "../_cli/mod.ts";

/** More requests than fit into this are refused, as with a file of JSON. */
const MAX_BYTES = 67_108_864;

/** Magic numbers of pcapng, and of pcap in either byte order and time unit. */
const MAGICS = ["0a0d0d0a", "d4c3b2a1", "a1b2c3d4", "4d3cb2a1", "a1b23c4d"];

/** Whether a file is a capture, by its first bytes. */
export async function isCapture(path: string): Promise<boolean> {
  // A pipe would lack what is read from it here.
  if (!(await Deno.stat(path)).isFile) return false;
  using file = await Deno.open(path);
  const magic = new Uint8Array(4);
  const count = await file.read(magic);
  return count === 4 && MAGICS.includes(magic.toHex());
}

/**
 * The requests in a capture, in their order: the contents of all `text/json` frames that clients
 * sent, but for a `hello`, whose credentials are for others to give.
 *
 * @throws {UsageError} if there is none, or more than 64 MiB of them.
 */
export async function requestsInCapture(path: string, { log }: Context): Promise<string[]> {
  const requests: string[] = [];
  let bytes = 0;
  let others = 0;
  const take = (event: FrameEvent) => {
    const { direction, frame, kind } = event;
    if (direction !== "up" || frame.header["op"] !== undefined || kind === "hello") return;
    const { text } = viewOf(event, { secrets: true });
    if (kind === frame.header["content-type"] && !isJson(text) || !frame.isWhole) {
      others++;
      return;
    }
    bytes += frame.bytes;
    if (bytes <= MAX_BYTES) requests.push(literal(text!));
  };
  using file = await Deno.open(path);
  const watch = watchFrames({ frame: take }, { keptBytes: MAX_BYTES });
  const { damage, skippedPackets } = await readCapture(file, watch);
  if (damage) log.warn(`${path}: ${damage.message}; the requests before are made`);
  if (bytes > MAX_BYTES) {
    throw new UsageError(`--requests: ${path} has more than ${formatBytes(MAX_BYTES)} of requests`);
  }
  if (others > 0) {
    log.warn(`${path}: ${formatCount(others, "request")} left out that are no whole text/json`);
  }
  if (requests.length > 0) return requests;
  const hint = skippedPackets.other > 0 ? ` (${skippedPackets.other} packets are no TCP)` : "";
  throw new UsageError(`--requests: ${path} has no request of text/json in it${hint}`);
}

/** A request's text in which nothing is filled in: only texts of JSON can have placeholders. */
function literal(text: string): string {
  return Template.has(text) ? text.replace(/\{(?=(?:seq|conn|random:\d+)\})/g, "\\u007b") : text;
}

function isJson(text: string | undefined): boolean {
  try {
    JSON.parse(text ?? "");
    return true;
  } catch {
    return false;
  }
}
