/** Bytes in one line of a dump. */
const ROW_BYTES = 16;

/** The way that bytes went. */
export type DumpedSide = "sent" | "received";

/**
 * Writes the bytes of both directions as hex dumps. A line has the seconds since the start, `>` for
 * sent or `<` for received bytes, their offset in that direction, the bytes, and their ASCII text.
 */
export class HexDump {
  readonly #startedAt = performance.now();
  readonly #offsets: Record<DumpedSide, number> = { sent: 0, received: 0 };

  /** The lines for some bytes. */
  lines(direction: DumpedSide, bytes: Uint8Array): string[] {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(6);
    const arrow = direction === "sent" ? ">" : "<";
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += ROW_BYTES) {
      const row = bytes.subarray(at, at + ROW_BYTES);
      const offset = (this.#offsets[direction] + at).toString(16).padStart(8, "0");
      lines.push(`${seconds} ${arrow} ${offset}  ${hexOf(row)}  |${textOf(row)}|`);
    }
    this.#offsets[direction] += bytes.length;
    return lines;
  }
}

/** Two groups of eight bytes, padded so that the text behind them is aligned. */
function hexOf(row: Uint8Array): string {
  const cells = Array.from(row, (byte) => byte.toString(16).padStart(2, "0"));
  const half = ROW_BYTES / 2;
  const left = cells.slice(0, half).join(" ").padEnd(half * 3 - 1);
  return `${left}  ${cells.slice(half).join(" ").padEnd(half * 3 - 1)}`;
}

function textOf(row: Uint8Array): string {
  return Array.from(row, (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".")
    .join("");
}
