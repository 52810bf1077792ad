/** The part of a worker's global object that the workers here use. */
export interface WorkerScope<Request, Message> {
  onmessage: ((event: { readonly data: Request }) => void) | null;
  postMessage(message: Message): void;
}

/** The global object, seen from inside a worker. The types of a page's one are what Deno declares. */
export function workerScope<Request, Message>(): WorkerScope<Request, Message> {
  return globalThis as unknown as WorkerScope<Request, Message>;
}
