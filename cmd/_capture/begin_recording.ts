import config from "../../deno.json" with { type: "json" };
import { CaptureError, openRecorder, type Recorder } from "../../lib/capture/mod.ts";
import { type Context, describeError, lowerFirst, UsageError } from "../_cli/mod.ts";

/**
 * Begins a recording, and warns of what is in it.
 *
 * @param maxBytes The file begins anew when it would get larger; `undefined` for no limit.
 * @param what What is recorded, such as `broker on 127.0.0.1:5635`.
 * @throws {UsageError} if the file is there and is no recording.
 */
export function beginRecording(
  path: string,
  maxBytes: number | undefined,
  what: string,
  { log }: Context,
): Recorder {
  let recorder: Recorder;
  try {
    recorder = openRecorder({
      path,
      maxBytes,
      application: `socktool ${config.version}`,
      description: what,
      onFailed: (error) =>
        log.error(
          `the recording has ended, connections go on: ${describeError(error, `write ${path}`)}`,
        ),
    });
  } catch (error) {
    if (error instanceof CaptureError) {
      throw new UsageError(`--record: ${lowerFirst(error.message)}`);
    }
    throw new Error(describeError(error, `record to ${path}`), { cause: error });
  }
  log.warn(`recording to ${path}: it holds all that is sent, passwords and tokens too`);
  return recorder;
}
