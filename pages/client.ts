/**
 * What every server with pages serves as `/client.js`: the clients for programs in browsers. It imports
 * files instead of `mod.ts`: those know the errors of Deno and Node too.
 *
 * @module
 */
export { jsonFrame } from "../lib/frame/frame_encoder.ts";
export { ContentError } from "../lib/frame/content.ts";
export { ContentStreamError } from "../lib/frame/content_stream_error.ts";
export { AddressError } from "../lib/net/address.ts";
export { duplexOf } from "../lib/net/bytes/byte_duplex.ts";
export { ConnectionError } from "../lib/net/connection_error.ts";
export { BrokerClient } from "../lib/pubsub/client/broker_client.ts";
export { connectBroker } from "../lib/pubsub/client/connect_broker.ts";
export { PubSubError } from "../lib/pubsub/client/pubsub_error.ts";
export { PubSubMessage } from "../lib/pubsub/client/receiving/message.ts";
export { filterProblem, topicProblem } from "../lib/pubsub/protocol/topic.ts";
export { connectRequests } from "../lib/request/client/connect_requests.ts";
export { Reply } from "../lib/request/client/reply.ts";
export { RequestClient } from "../lib/request/client/request_client.ts";
export { RequestError } from "../lib/request/request_error.ts";
