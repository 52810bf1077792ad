import type { EchoServer } from "../../lib/echo/mod.ts";
import { connectionMetrics, counter } from "./connection_metrics.ts";
import type { HttpSide } from "./http_side.ts";

/** Adds the figures of an echo server to `/metrics`: of all its threads together. */
export function measureEcho(http: HttpSide | undefined, server: EchoServer): void {
  let figures = server.figures();
  http?.measure([
    ...connectionMetrics(() => figures),
    counter("received_bytes", "Bytes received", () => figures.readBytes),
    counter("sent_bytes", "Bytes sent", () => figures.writtenBytes),
  ], () => void (figures = server.figures()));
}
