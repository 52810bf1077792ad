import { Socket, type SocketConstructorOpts } from "node:net";
import process from "node:process";

/** The runtime's handle of a socket over TCP. */
interface TcpHandle {
  /** @returns another descriptor for the same connection. */
  fdForIpc?(): number;
}

/** Its handle of a socket over anything else that has a descriptor. */
interface PipeHandle {
  /** Takes over a descriptor. @returns 0 if it has. */
  open(fd: number): number;
}

/** Where the runtime has its handles. */
interface Binding {
  readonly Pipe?: new (type: number) => PipeHandle;
}

/**
 * Makes another socket for the connection of a socket, for what is written to it. The runtime's handles
 * of TCP fail a write that has to wait for the peer, if that has ended its half and had never sent a byte:
 * they take it for a connection that is broken. Those of pipes do not.
 *
 * @returns nothing where the runtime has no such handles.
 */
export function writingSocket(socket: Socket, options: SocketConstructorOpts): Socket | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle: TcpHandle | null };
  const fd = handle?.fdForIpc?.();
  if (fd === undefined || fd < 0) return undefined;
  const { Pipe } = bindingOf("pipe_wrap");
  if (!Pipe) return undefined;
  const pipe = new Pipe(0);
  return pipe.open(fd) === 0
    ? new Socket({ ...options, handle: pipe, pauseOnCreate: true } as object)
    : undefined;
}

function bindingOf(name: string): Binding {
  return (process as unknown as { binding(name: string): Binding }).binding(name);
}
