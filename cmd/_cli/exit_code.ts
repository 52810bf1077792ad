/** The program's exit codes. Only an interrupted client exits with 130. */
export const EXIT = { ok: 0, failed: 1, usage: 2, threshold: 3, interrupted: 130 } as const;
