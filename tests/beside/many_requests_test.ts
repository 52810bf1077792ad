/** However many requests that take a little while come at once, nobody else waits for all of them. */
import { Turns } from "../../lib/net/turns.ts";
import { assertNoticed } from "../support/neighbour.ts";
import { attackBroker, ATTACKS } from "./broker_attacks.ts";

for (const name of Object.keys(ATTACKS)) {
  Deno.test(`${name} delay no other`, () => attackBroker(name));
}

/** Attacks that have to show it if work in steps does not let others be served. */
const SHOWING = [
  "a connection that asks of 10,000 filters 1,000 times in one write",
  "publications by turns on two topics that 200 connections get",
  "publications for 20,000 groups",
  "200 wills and goings that 200 connections are told of, and do not read,",
];

/** A broker without turns keeps others waiting for longer, also on a machine that is several times as fast. */
const FAR_MORE_MS = 25;

for (const name of SHOWING) {
  Deno.test(`a broker that gives nobody else a turn is noticed by ${name}`, async () => {
    const { take, takeToEnd } = Turns.prototype;
    Turns.prototype.take = Turns.prototype.takeToEnd = () => undefined;
    try {
      await assertNoticed(() => attackBroker(name, 1, FAR_MORE_MS));
    } finally {
      Object.assign(Turns.prototype, { take, takeToEnd });
    }
  });
}
