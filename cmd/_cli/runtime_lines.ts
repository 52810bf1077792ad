// What others print is caught here.
// deno-lint-ignore-file no-console
import { nodeModule } from "../../lib/base/node_module.ts";
import { EXIT } from "./exit_code.ts";
import type { Host } from "./host.ts";
import type { Log } from "./log.ts";

/** Which messages of the log the console's are. */
const METHODS = {
  debug: "detail",
  log: "info",
  info: "info",
  warn: "warn",
  error: "error",
  trace: "error",
} as const;

/** What is used of Node's `process`. */
interface Warnings {
  listeners(event: "warning"): ((warning: Error) => void)[];
  on(event: "warning", listener: (warning: Error) => void): void;
  off(event: "warning", listener: (warning: Error) => void): void;
}

/**
 * Writes what the runtime and packages would print by themselves as messages of the log, until it is
 * disposed of: so a log of objects has no other lines. An error that nobody catches ends the process
 * with exit code 1, as it does otherwise.
 */
export function logRuntimeLines(log: Log, host: Host): Disposable {
  const stack = new DisposableStack();
  const { format } = nodeModule<typeof import("node:util")>("node:util");
  const die = (event: Event, error: unknown) => {
    event.preventDefault();
    log.error(`the program failed: ${format(error)}`);
    host.exit(EXIT.failed);
  };
  const onError = (event: ErrorEvent) => die(event, event.error ?? event.message);
  const onRejection = (event: PromiseRejectionEvent) => die(event, event.reason);
  addEventListener("error", onError);
  addEventListener("unhandledrejection", onRejection);
  stack.defer(() => {
    removeEventListener("error", onError);
    removeEventListener("unhandledrejection", onRejection);
  });
  for (const [method, level] of Object.entries(METHODS)) {
    const name = method as keyof typeof METHODS;
    const before = console[name];
    console[name] = (...parts: unknown[]) => log[level](format(...parts));
    stack.defer(() => console[name] = before);
  }
  const { process } = globalThis as unknown as { readonly process: Warnings };
  const before = process.listeners("warning");
  const warn = ({ name, message }: Error) => log.warn(`${name}: ${message}`);
  for (const listener of before) process.off("warning", listener);
  process.on("warning", warn);
  stack.defer(() => {
    process.off("warning", warn);
    for (const listener of before) process.on("warning", listener);
  });
  return stack;
}
