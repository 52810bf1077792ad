import type { NatsBackplane, NatsObserver } from "../../lib/pubsub/broker/nats/mod.ts";
import { importLater } from "../../lib/base/import_later.ts";
import { type Context, type FlagTable, lowerFirst, UsageError } from "../_cli/mod.ts";

/** Flags of a broker that is a gateway of a NATS cluster. */
export const natsFlags = {
  nats: {
    type: "string",
    placeholder: "URL,…",
    env: "SOCKTOOL_NATS",
    group: "NATS",
    help: "serve the same topics as other brokers and clients of this NATS cluster: " +
      "nats://HOST:PORT of one or more of its servers, or tls://HOST:PORT",
  },
  "nats-creds": {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "NATS",
    help:
      "log in to NATS with the credentials in this file, as nsc makes it, or with an nkey's seed",
  },
  "nats-tls-ca": {
    type: "path",
    hint: "file",
    placeholder: "FILE",
    group: "NATS",
    help: "use TLS to NATS, and trust the certificate authorities in this file (PEM) too",
  },
  "nats-wait": {
    type: "duration",
    default: "0s",
    group: "NATS",
    help: "wait up to this long for NATS when the broker starts, instead of failing at once",
  },
} as const satisfies FlagTable;

/**
 * Joins the cluster that the flags name; `undefined` without `--nats`.
 *
 * @throws {UsageError} if a URL cannot be used.
 */
export async function joinNats(
  flags: {
    readonly nats: string | undefined;
    readonly "nats-creds": string | undefined;
    readonly "nats-tls-ca": string | undefined;
    readonly "nats-wait": number;
    readonly store: string | undefined;
    readonly json: boolean;
  },
  context: Context,
): Promise<NatsBackplane | undefined> {
  const { nats, "nats-creds": credsPath, "nats-tls-ca": caPath, "nats-wait": waitMs } = flags;
  if (nats === undefined) {
    // It may come from the environment, so the flags' table cannot tell.
    const alone = credsPath ? "--nats-creds" : caPath ? "--nats-tls-ca" : waitMs && "--nats-wait";
    if (alone) throw new UsageError(`${alone} needs --nats beside it`);
    return undefined;
  }
  if (flags.store !== undefined) {
    throw new UsageError(
      "--store and --nats exclude each other: with --nats, JetStream keeps the streams",
    );
  }
  const creds = credsPath === undefined ? undefined : await Deno.readTextFile(credsPath);
  const caCert = caPath === undefined ? undefined : await Deno.readTextFile(caPath);
  const module = await importLater<typeof import("../../lib/pubsub/broker/nats/mod.ts")>(
    new URL("../../lib/pubsub/broker/nats/mod.ts", import.meta.url),
  );
  const { signal } = context;
  const observer = natsObserver(context, flags.json);
  try {
    return await module.connectNats(nats.split(","), { creds, caCert, waitMs, signal, observer });
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TypeError) throw new UsageError(`--nats: ${error.message}`);
    throw error;
  }
}

function natsObserver({ out, log }: Context, json: boolean): NatsObserver {
  const tell = (state: string, fields: object) => {
    if (json) out.json({ type: "nats", state, ...fields });
  };
  return {
    waiting(reason) {
      tell("waiting", { reason });
      log.warn(`${lowerFirst(reason)}; waiting for it`);
    },
    disconnected(server) {
      tell("disconnected", { server });
      log.warn(`lost the connection to NATS at ${server}: only this broker's clients are reached`);
    },
    reconnected(server) {
      tell("connected", { server });
      log.info(`connected to NATS at ${server} again`);
    },
    refused(message) {
      tell("refused", { message });
      log.error(message);
    },
  };
}
