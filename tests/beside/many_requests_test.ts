/** However many requests that take a little while come at once, nobody else waits for all of them. */
import { Turns } from "../../lib/net/turns.ts";
import { assertNoticed } from "../support/neighbour.ts";
import { soakSize } from "../support/soak_size.ts";
import { attackBroker, ATTACKS } from "./broker_attacks.ts";

for (const name of Object.keys(ATTACKS)) {
  Deno.test(`${name} delay no other`, () => attackBroker(name));
}

/**
 * Attacks that have to show it if work in steps does not let others be served, and how many times as
 * large as they are they show it clearly. The first ones are of different kinds; the soak does all.
 */
const SHOWING: readonly (readonly [name: string, size: number])[] = [
  ["a connection that asks of 10,000 filters 1,000 times in one write", 1],
  ["publications by turns on two topics that 200 connections get", 1],
  ["publications for 20,000 groups", 1],
  ["subscriptions that look through 8,000 retained topics and find none", 2],
  ["publications of 1 MiB for 500 groups of a connection that reads nothing", 1],
  ["200 wills and goings that 200 connections are told of, and do not read,", 1],
  ["40 publications at once that 16,384 filters match", 1],
];

/** A broker without turns keeps others waiting for longer, also on a machine that is several times as fast. */
const FAR_MORE_MS = 25;

for (const [name, size] of SHOWING.slice(0, soakSize(3, SHOWING.length))) {
  Deno.test(`a broker that gives nobody else a turn is noticed by ${name}`, async () => {
    const { take, takeToEnd, takeIfBusy } = Turns.prototype;
    const never = () => undefined;
    Object.assign(Turns.prototype, { take: never, takeToEnd: never, takeIfBusy: never });
    try {
      await assertNoticed(() => attackBroker(name, size, FAR_MORE_MS));
    } finally {
      Object.assign(Turns.prototype, { take, takeToEnd, takeIfBusy });
    }
  });
}
