/**
 * Plants faults in an app server that is loaded after it: it parses large requests in the thread that
 * serves, and gives nobody else a turn.
 */
import { Turns } from "../../lib/net/turns.ts";
import { parseLargeRequest } from "../../lib/search/request/large_request.ts";
import { LargeRequests } from "../../lib/search/request/large_requests.ts";

const never = () => undefined;
Object.assign(Turns.prototype, { take: never, takeToEnd: never, takeIfBusy: never });

const { answer } = LargeRequests.prototype;
LargeRequests.prototype.answer = function (frame, client) {
  parseLargeRequest({ content: frame.content, header: frame.header }, frame.content.length);
  return answer.call(this, frame, client);
};
