import type {
  ConsumerFigures,
  ConsumerSelection,
  MemberInit,
  Settlement,
  StreamFigures,
  StreamSettings,
  StreamStart,
  StreamTotals,
} from "../stream_store.ts";
import type { StreamErrorCode } from "../../../protocol/codes.ts";
import type { PublicationList } from "./publication_list.ts";

/** What a store has to tell when it was opened. */
export interface OpenedStore {
  readonly streams: readonly WrittenFigures[];
  /** The last values of topics. */
  readonly retained: readonly { readonly topic: string; readonly frame: Uint8Array }[];
}

/** Publications for the end of a stream. */
export interface AppendOrder {
  readonly kind: "append";
  readonly stream: string;
  /** Their frames, one behind the other. */
  readonly frames: Uint8Array;
  /** What is to be known of each. */
  readonly publications: PublicationList;
  /** Which of them are asked about, by their places. */
  readonly asked: readonly number[];
  /** Whether somebody waits at the end of the stream to read them. */
  readonly awaited: boolean;
}

/** A stream in figures, as its writer tells them. */
export interface WrittenFigures extends StreamFigures {
  /** The number of the last message that those find who read the database. */
  readonly readableSeq: number;
}

/** What the writer of a store is told to do. Each is answered; of the last three nobody waits for it. */
export type StoreOrder =
  | AppendOrder
  | { readonly kind: "create"; readonly name: string; readonly settings: StreamSettings }
  | { readonly kind: "update"; readonly name: string; readonly settings: Partial<StreamSettings> }
  | { readonly kind: "delete"; readonly name: string }
  | {
    readonly kind: "purge";
    readonly name: string;
    readonly beforeSeq: number | undefined;
    readonly topic: string | undefined;
  }
  | { readonly kind: "join"; readonly member: number; readonly init: MemberInit }
  | ({ readonly kind: "settle" } & { readonly settlement: Settlement })
  | {
    readonly kind: "consumers";
    readonly stream: string;
    readonly which: ConsumerSelection;
  }
  | { readonly kind: "delete-consumer"; readonly stream: string; readonly consumer: string }
  | {
    readonly kind: "reset-consumer";
    readonly stream: string;
    readonly consumer: string;
    readonly start: StreamStart;
  }
  | { readonly kind: "redrive"; readonly stream: string; readonly consumer: string }
  /** Has the tables of a stream have all its messages, and tell of them, for who reads them. */
  | { readonly kind: "save"; readonly stream: string }
  | { readonly kind: "hungry"; readonly member: number }
  | { readonly kind: "leave"; readonly member: number; readonly counted: boolean }
  | { readonly kind: "retain"; readonly topic: string; readonly frame: Uint8Array | undefined };

/** Why an order was not carried out. */
export interface OrderFailure {
  readonly code: StreamErrorCode;
  readonly message: string;
  readonly stale?: readonly number[] | undefined;
}

/** What became of a publication: its number, negative if it was stored before; or why it is not stored. */
export type AppendOutcome = number | OrderFailure;

/** What answers an order. */
export type OrderValue =
  | undefined
  | number
  | readonly AppendOutcome[]
  | StreamFigures
  | ConsumerFigures
  | readonly ConsumerFigures[];

/** The answer to an order. */
export type OrderResult =
  | { readonly value: OrderValue }
  | { readonly failure: OrderFailure }
  /** The answer comes in a later report. */
  | { readonly later: number };

/** What publications change of a stream's figures where they are only in the journal. */
export type Appended = Pick<StreamFigures, "name" | "lastSeq" | "count" | "bytes">;

/** Deliveries for one member. */
export interface MemberDeliveries {
  readonly member: number;
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly missed: number;
}

/** What the writer tells after a commit. */
export interface StoreReport {
  /** The answers to the orders, in their order. */
  readonly results: readonly OrderResult[];
  /** Answers to earlier orders, by the numbers that those told. */
  readonly late: readonly { readonly number: number; readonly result: OrderResult }[];
  /** Streams to which something was appended that no row has. Comes before other changes. */
  readonly appended: readonly Appended[];
  /** Streams that changed. */
  readonly changed: readonly WrittenFigures[];
  /** Names of streams that were deleted. */
  readonly deleted: readonly string[];
  readonly deliveries: readonly MemberDeliveries[];
  /** Members whose consumer is gone. */
  readonly ended: readonly number[];
  readonly deadLetters: readonly { readonly topic: string; readonly frame: Uint8Array }[];
  /** All in figures, once a second. */
  readonly totals: StreamTotals | undefined;
  /** Why nothing can be written from here on. */
  readonly failure: OrderFailure | undefined;
}

/** A report of a commit that changed nothing. */
export const NOTHING: StoreReport = {
  results: [],
  late: [],
  appended: [],
  changed: [],
  deleted: [],
  ended: [],
  deadLetters: [],
  deliveries: [],
  totals: undefined,
  failure: undefined,
};

/** Two reports as one; only the first answers orders. */
export function joinReports<Report extends StoreReport>(
  first: Report,
  second: StoreReport,
): Report {
  return {
    ...first,
    late: [...first.late, ...second.late],
    changed: [...first.changed, ...second.changed],
    deleted: [...first.deleted, ...second.deleted],
    ended: [...first.ended, ...second.ended],
    deadLetters: [...first.deadLetters, ...second.deadLetters],
    totals: second.totals ?? first.totals,
    failure: second.failure,
  };
}
