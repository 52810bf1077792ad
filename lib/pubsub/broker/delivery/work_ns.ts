/** After this much work, as it is estimated, the clock is looked at: 100 µs. */
export const LOOK_NS = 100_000;

/** What a header costs that is not the one before, and what a delivery does. */
export const HEADER_NS = 1_000;
export const DELIVERY_NS = 200;
