/** What happens in the life of a {@linkcode WorkerThread}. */
export interface WorkerThreadEvents<Message> {
  /** The worker posted something. */
  message(message: Message): void;
  /** The worker ended by an error nobody caught. Nothing comes after it. */
  died(reason: string): void;
}

/** A worker, whose death is an event and not the end of the process. */
export class WorkerThread<Request, Message> {
  readonly #worker: Worker;
  #isOver = false;

  /** @param url The worker's module; @param name For people, in messages and debuggers. */
  constructor(url: URL, name: string, events: WorkerThreadEvents<Message>) {
    this.#worker = new Worker(url, { type: "module", name });
    this.#worker.onmessage = ({ data }) => {
      if (!this.#isOver) events.message(data as Message);
    };
    this.#worker.onerror = (event) => {
      // Without this, the error would go on as one of the whole process.
      event.preventDefault();
      if (this.#isOver) return;
      this.terminate();
      events.died(event.message);
    };
  }

  /** Hands a request to the worker; to none, once it is over. */
  post(request: Request): void {
    if (!this.#isOver) this.#worker.postMessage(request);
  }

  /** Ends the worker at once. No event comes after it. */
  terminate(): void {
    this.#isOver = true;
    this.#worker.terminate();
  }
}
