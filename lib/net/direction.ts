/** The way that bytes go: `up` from the client to the server, `down` back to the client. */
export type Direction = "up" | "down";

/** The other way. */
export function otherWay(direction: Direction): Direction {
  return direction === "up" ? "down" : "up";
}
