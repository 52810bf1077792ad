/** Runs something, and gives how often meanwhile a promise was rejected that nobody handled. */
export async function unhandledRejections(run: () => Promise<void>): Promise<number> {
  let count = 0;
  const note = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    count++;
  };
  addEventListener("unhandledrejection", note);
  try {
    await run();
    // They are told of when the event loop goes on.
    await new Promise((resolve) => setTimeout(resolve));
  } finally {
    removeEventListener("unhandledrejection", note);
  }
  return count;
}
