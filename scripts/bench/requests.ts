/**
 * The client of request and response, against a server whose port is the argument.
 *
 * @module
 */
import { connectRequests } from "../../lib/request/mod.ts";
import { type LibraryRows, warmed } from "./library_rows.ts";

/** The rows, in requests per second. @param args The server's port. */
export async function open([port]: readonly string[]): Promise<LibraryRows> {
  const address = { transport: "tcp", hostname: "127.0.0.1", port: Number(port) } as const;
  const client = await connectRequests(address);
  const request = async (outstanding: number, count: number): Promise<number> => {
    const startedAt = performance.now();
    let left = count;
    await Promise.all(Array.from({ length: outstanding }, async () => {
      while (left-- > 0) await client.request({ content: "a question" });
    }));
    return count / (performance.now() - startedAt) * 1_000;
  };
  return {
    rows: {
      "1 outstanding": warmed((count) => request(1, count), 2_000),
      "64 outstanding": warmed((count) => request(64, count), 20_000),
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
