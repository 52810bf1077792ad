import { PubSubError } from "../pubsub_error.ts";
import type { StreamReading, StreamReadings } from "./stream_readings.ts";

/**
 * Gets a copy of all that the broker keeps.
 *
 * @param onPart Is called with each part, in order; a view that is valid during the call.
 * @returns The size of the copy in bytes.
 */
export async function copyStore(
  readings: StreamReadings,
  onPart: (part: Uint8Array) => void,
): Promise<number> {
  const end = Promise.withResolvers<number>();
  // It may be rejected before it is awaited.
  end.promise.catch(() => {});
  const broken = (what: string) =>
    end.reject(new PubSubError("disconnected", `The copy of the store is not whole: ${what}`));
  let bytes = 0;
  const reading: StreamReading = {
    request: () => ({ op: "stream", fields: { do: "backup" } }),
    confirmed() {},
    received({ header, content }) {
      if (header["offset"] !== bytes) return broken(`a part is missing at ${bytes}`);
      bytes += content.length;
      try {
        onPart(content);
      } catch (error) {
        end.reject(error);
      }
    },
    told({ op, seq }) {
      if (op === "caught-up" && seq === bytes) end.resolve(bytes);
      else broken(`parts behind ${bytes} are missing`);
    },
    disconnected: () => broken("the connection is lost"),
    ended: (error) => end.reject(error),
    stop: () => Promise.resolve(broken("the client is closed")),
  };
  try {
    // If the connection is lost before the broker has agreed, it would be begun on the next one.
    readings.start(reading).catch(end.reject);
    return await end.promise;
  } finally {
    await readings.end(reading);
  }
}
