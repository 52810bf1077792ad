/** Loaded before a file of tests: gives its properties the seed of the round. */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(Deno.env.get("SOCKTOOL_PROPERTY_SEED")) | 0 });
