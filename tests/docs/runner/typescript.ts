import { ROOT } from "../../support/programs.ts";

/** Lets a program anywhere import the package by its name, with the checkout's compiler options. */
export const CONFIG = `${ROOT}deno.json`;

/**
 * What a program prints, by the comments behind its calls: `console.log(x); // HELLO`. A call
 * without one may print anything.
 */
export function expectedLogs(program: string): string[] {
  return program.split("\n").flatMap((line) => {
    const [, shown] = /\bconsole\.log\(.*\);\s*\/\/ (.*)$/.exec(line) ?? [];
    if (shown !== undefined) return [shown];
    return /\bconsole\.\w+\(/.test(line) ? ["…"] : [];
  });
}
