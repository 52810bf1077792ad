/** A command of the session that the README shows. */
export interface Step {
  readonly command: string;
  /** For a command that goes on in the background: the beginning of the line that it is ready with. */
  readonly ready?: string;
}

/** The session: search, publish/subscribe, load. */
export const SESSION: readonly Step[] = [
  { command: "socktool app-server --data docs &", ready: "listening on" },
  { command: "socktool app-client search 'slow subscriber' --limit 2" },
  { command: "socktool broker &", ready: "listening on" },
  { command: "socktool sub 'orders.>' -v &", ready: "subscribed to" },
  { command: "socktool pub orders.eu.new 'two crates' --confirm" },
  { command: "socktool echo-server 127.0.0.1:7007 &", ready: "listening on" },
  { command: "socktool load 127.0.0.1:7007 50 --rate 10k --duration 2s --fail-if 'p99>20ms'" },
];
