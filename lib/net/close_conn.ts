/** Closes a connection; does nothing where the runtime has closed it, as after a reset. */
export function closeConn(conn: Pick<Deno.Conn, "close">): void {
  try {
    conn.close();
  } catch {
    // It is closed.
  }
}
