/** A way through a proxy: `up` from the client to the upstream, `down` back to the client. */
export type Direction = "up" | "down";
