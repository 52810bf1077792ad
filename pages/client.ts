/**
 * What every server with pages serves as `/client.js`: the clients for programs in browsers.
 *
 * @module
 */
export {
  AddressError,
  BrokerClient,
  connectBroker,
  ConnectionError,
  ContentError,
  ContentStreamError,
  duplexOf,
  filterProblem,
  PubSubError,
  PubSubMessage,
  topicProblem,
} from "../lib/pubsub/client/mod.ts";
export { connectRequests, Reply, RequestClient, RequestError } from "../lib/request/client/mod.ts";
export { jsonFrame } from "../lib/frame/frame_encoder.ts";
