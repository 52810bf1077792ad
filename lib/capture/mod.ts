/**
 * Eyes on what goes over connections: recordings in pcapng, which every tool for captures opens,
 * reading captures of any program, and the frames in them.
 *
 * @module
 */
export { CaptureError } from "./capture_error.ts";
export type { CaptureErrorCode } from "./capture_error.ts";
export { readCapture } from "./read_capture.ts";
export type {
  CaptureFormat,
  CaptureResult,
  CaptureSource,
  ReadCaptureOptions,
} from "./read_capture.ts";
export { openRecorder } from "./record/recorder.ts";
export type { RecordedConnection, Recorder, RecorderOptions } from "./record/recorder.ts";
export { recordListener } from "./record/record_listener.ts";
export type { NoSegment } from "./packet/tcp_segment.ts";
export type { Direction } from "../net/direction.ts";
export type { Ending, SeenConnection, TrafficObserver } from "./traffic.ts";
export { watchFrames } from "./frames/frame_watch.ts";
export type {
  ConnectionTraffic,
  FrameEvent,
  FrameObserver,
  StreamPlace,
  WatchFramesOptions,
} from "./frames/frame_watch.ts";
export type { SeenFrame, SkipReason } from "./frames/frame_scanner.ts";
export { TrafficSummary } from "./view/traffic_summary.ts";
export type { KindFigures, TrafficFigures } from "./view/traffic_summary.ts";
export { viewOf } from "./view/frame_view.ts";
export type { FrameView, FrameViewOptions } from "./view/frame_view.ts";
export { FrameMatchError, parseFrameMatch } from "./view/frame_match.ts";
export type { FrameMatch } from "./view/frame_match.ts";
export { loadRecording } from "./replay/recording.ts";
export type { Recording, ReplaySession, ReplayStep } from "./replay/recording.ts";
export type { AnswerList } from "./replay/answer_list.ts";
export { replayClient } from "./replay/replay_client.ts";
export type { ReplayClientOptions } from "./replay/replay_client.ts";
export { serveReplay } from "./replay/replay_server.ts";
export type { ReplayOptions, ReplayPace, ReplayResult } from "./replay/replay_options.ts";
export type { ReplayDifference } from "./replay/answer_check.ts";
export type { AnswerDifference } from "./replay/compare_frames.ts";
export { SecretFilter } from "./view/secrets.ts";

// What these refer to, of other parts of the library.
export type * from "../frame/frame_types.ts";
export type { FrameError, FrameErrorCode, FrameErrorDetails, FramePart } from "../frame/mod.ts";
export type * from "../net/serving_types.ts";
export type { LatencyFigures } from "../base/latencies.ts";
