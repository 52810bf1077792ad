/** Where values lie on an axis, and which of them are written on it. */
export interface Scale {
  /** From 0, the axis' beginning, to 1, its end. */
  at(value: number): number;
  /** Values to be marked, in order. */
  readonly ticks: readonly number[];
}

/** The least and the most of some values. A long run has more of them than a call takes arguments. */
export function extentOf(values: readonly number[]): readonly [least: number, most: number] {
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

/** From 0 to a round number that is no less than `max`, with about `count` ticks. */
export function linearScale(max: number, count = 4): Scale {
  const step = roundStep((max > 0 ? max : 1) / count);
  const steps = Math.max(1, Math.ceil((max > 0 ? max : 1) / step - 1e-9));
  const end = steps * step;
  return {
    at: (value) => value / end,
    ticks: Array.from({ length: steps + 1 }, (_, i) => i * step),
  };
}

/** Exactly from 0 to `max`; ticks at round numbers. */
export function tightScale(max: number, count = 5): Scale {
  const step = roundStep(max / count);
  const ticks = Array.from({ length: Math.floor(max / step + 1e-9) + 1 }, (_, i) => i * step);
  return { at: (value) => value / max, ticks };
}

/** Logarithmic; the ends are powers of ten, or for a short range 1, 2 or 5 times one. */
export function logScale(min: number, max: number): Scale {
  const wide = max / min > 300;
  const steps = wide ? [1] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(min)) - 1; power <= Math.log10(max) + 1; power++) {
    for (const step of steps) ticks.push(step * 10 ** power);
  }
  const first = ticks.findLastIndex((tick) => tick <= min * (1 + 1e-9));
  const last = ticks.findIndex((tick) => tick >= max * (1 - 1e-9) && tick > ticks[first]!);
  const [low, high] = [Math.log(ticks[first]!), Math.log(ticks[last]!)];
  return {
    at: (value) => (Math.log(value) - low) / (high - low),
    ticks: ticks.slice(first, last + 1),
  };
}

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least * (1 - 1e-9)) ?? 10;
  return factor * power;
}
