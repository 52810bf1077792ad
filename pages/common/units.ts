/** Figures for people: three digits, and a unit. */

const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];
const COUNTS = ["", "k", "M", "G"];

const grouped = new Intl.NumberFormat("en");

/** `512 B`, `1.5 MiB`. */
export function bytes(value: number): string {
  return scaled(value, 1_024, SIZES);
}

/** `0.25`, `99,999`, `125 k`, `3 M`. */
export function count(value: number): string {
  return value < 100_000 ? grouped.format(Number(digits(value))) : scaled(value, 1_000, COUNTS);
}

/** `0.25 ms`, `12 ms`, `1.5 s`. */
export function ms(value: number): string {
  return value < 1_000 ? `${digits(value)} ms` : `${digits(value / 1_000)} s`;
}

/** `3 s`, `12 min`, `5 h 3 min`, `2 d 4 h`. */
export function span(value: number): string {
  const seconds = Math.floor(value / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function scaled(value: number, base: number, units: readonly string[]): string {
  let unit = 0;
  while (Math.abs(value) >= base * 0.9995 && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${digits(value)} ${units[unit]}`.trimEnd();
}

function digits(value: number): string {
  const places = Math.abs(value) >= 100 || Number.isInteger(value)
    ? 0
    : Math.abs(value) >= 10
    ? 1
    : 2;
  return String(Number(value.toFixed(places)));
}
