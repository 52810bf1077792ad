/**
 * The load role: puts a server under load from many connections, in a closed or an open loop, and
 * measures latency.
 *
 * @module
 */
export { runLoad } from "./run_load.ts";
export type { LoadObserver, LoadOptions } from "./run_load.ts";
export type { LoadPlan } from "./load_plan.ts";
export { describePlan } from "./load_result.ts";
export type {
  EarlyEnd,
  KindSummary,
  LoadInterval,
  LoadResult,
  LoadSettings,
  LoadSummary,
} from "./load_result.ts";
export type {
  AnswerBytes,
  AnswerFormat,
  AnswerLength,
  AnswerUntil,
  LengthType,
} from "./answers/answer_format.ts";
export type {
  ExchangeFunction,
  ExchangeMessage,
  ExchangeModule,
  ExchangeOutcome,
  LoadExchange,
  MakeExchange,
  OpenExchange,
} from "./exchange/user_exchange.ts";
export { LoadError } from "./load_error.ts";
export type { LoadErrorCounts, LoadErrorKind } from "./load_error.ts";
export type {
  EncodedLatencies,
  HistogramLibrary,
  Latencies,
  LatencyFigures,
} from "../base/latencies.ts";
export { runTutorialExchange, TUTORIAL_MESSAGES } from "./tutorial_exchange.ts";
export type { TutorialExchangeObserver, TutorialExchangeOptions } from "./tutorial_exchange.ts";
export { parseRun, SavedRunError, saveRun } from "./saved_run.ts";
export type { SavedRun } from "./saved_run.ts";
export { compareRuns } from "./compare_runs.ts";
export type { ComparableRun, Comparison } from "./compare_runs.ts";
export { missedThresholds, parseThreshold, ThresholdError } from "./threshold.ts";
export { FIGURE_NAMES, figureOf } from "./figures.ts";
export type { Figure, FigureUnit, Measured } from "./figures.ts";
export type { MissedThreshold, Threshold, ThresholdOperator } from "./threshold.ts";
export { renderReport } from "./report/render_report.ts";

// What these refer to, of other parts of the library.
export type { Address, ClientTls, TcpAddress, UnixAddress, WebSocketAddress } from "../net/mod.ts";
