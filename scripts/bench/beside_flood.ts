import { dial } from "../../lib/net/mod.ts";

/** What others feel while somebody floods a server, in milliseconds. */
export interface AnswerTimes {
  readonly p50: number;
  readonly p99: number;
}

/** The pause before the next answer is asked for. */
const PAUSE_MS = 2;

/** How long the flood goes on before the others are measured. */
const SETTLE_MS = 300;

/**
 * Asks a server over and over for a small answer while a program floods it.
 *
 * @param question What is sent; the answer is what one read brings.
 * @param flood Ends when the program does.
 */
export async function answersBesideFlood(
  port: number,
  question: Uint8Array,
  flood: () => Promise<unknown>,
): Promise<AnswerTimes> {
  let over = false;
  const flooding = flood().finally(() => over = true);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  using conn = await dial({ transport: "tcp", hostname: "127.0.0.1", port });
  const answer = new Uint8Array(4_096);
  const times: number[] = [];
  while (!over) {
    const startedAt = performance.now();
    await conn.write(question);
    if (await conn.read(answer) === null) throw new Error("The server closed");
    times.push(performance.now() - startedAt);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  await flooding;
  times.sort((a, b) => a - b);
  const percentile = (share: number) => times[Math.floor(times.length * share)] ?? NaN;
  return { p50: percentile(0.5), p99: percentile(0.99) };
}
