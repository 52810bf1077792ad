import type { ResolvedPlan } from "../load_plan.ts";
import { CallExchange } from "./call_exchange.ts";
import { StreamExchange } from "./stream_exchange.ts";
import type { MakeExchange } from "./user_exchange.ts";
import type { Exchange } from "./wire.ts";

/**
 * Makes what a plan asks to be done on the connections; each thread makes its own.
 *
 * @throws whatever a module of the user's throws, or importing it.
 */
export async function makeExchange(plan: ResolvedPlan): Promise<Exchange> {
  const { exchange, connections } = plan;
  if (exchange === undefined) return new StreamExchange(plan);
  if (!("module" in exchange)) return new CallExchange(exchange, connections);
  const { default: make } = await import(exchange.module) as { default?: MakeExchange };
  if (typeof make !== "function") {
    throw new TypeError(`The default export of ${exchange.module} is not a function`);
  }
  return new CallExchange(await make(exchange.options as never), connections);
}
