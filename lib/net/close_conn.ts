/** Closes a connection, which may be closed already: Deno closes it after a reset. */
export function closeConn(conn: Pick<Deno.Conn, "close">): void {
  try {
    conn.close();
  } catch {
    // It was closed.
  }
}
