/** Adds colours and weights for a terminal, or leaves a text as it is. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** @param enabled Whether the texts go to a terminal whose user wants colour. */
export function createStyle(enabled: boolean): Style {
  const with_ = (on: number, off: number) => (text: string) =>
    enabled ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return {
    bold: with_(1, 22),
    dim: with_(2, 22),
    red: with_(31, 39),
    yellow: with_(33, 39),
    green: with_(32, 39),
    cyan: with_(36, 39),
  };
}
