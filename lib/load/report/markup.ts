/** A text as HTML and SVG can hold it, in attributes too. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Microseconds with a unit, to three digits: `850 µs`, `1.25 ms`, `12.3 s`. */
export function timeText(us: number): string {
  if (digits(us) < 1_000) return `${digits(us)} µs`;
  if (digits(us / 1e3) < 1_000) return `${digits(us / 1e3)} ms`;
  return `${digits(us / 1e6)} s`;
}

/** A number without a unit, to three digits: `950`, `12.3k`, `1.24M`. */
export function countText(count: number): string {
  if (count < 1_000) return String(digits(count));
  if (digits(count / 1e3) < 1_000) return `${digits(count / 1e3)}k`;
  if (digits(count / 1e6) < 1_000) return `${digits(count / 1e6)}M`;
  return `${digits(count / 1e9)}G`;
}

/** Bytes with a unit, to three digits: `512 B`, `1.5 KiB`. */
export function bytesText(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let power = 0;
  // 1023.9 is written as 1024, so what is compared is the rounded value.
  while (Math.round(bytes) >= 1_024 && power < units.length - 1) {
    bytes /= 1_024;
    power++;
  }
  return `${bytes >= 1_000 ? Math.round(bytes) : digits(bytes)} ${units[power]}`;
}

function digits(value: number): number {
  return Number(value.toPrecision(3));
}
