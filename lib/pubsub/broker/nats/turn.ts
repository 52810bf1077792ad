/** What to wait for before more is read, so that others are served; `undefined` if nothing. */
export type Turn = () => Promise<void> | undefined;
