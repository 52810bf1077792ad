import { assertEquals } from "@std/assert";
import { AnswerList } from "../../lib/capture/replay/answer_list.ts";
import type { Recording } from "../../lib/capture/replay/recording.ts";
import { serveReplay } from "../../lib/capture/replay/replay_server.ts";
import { listen, type Listener, type TcpAddress } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";

Deno.test("a client that has gone before it was accepted gets nothing: the next one does", async () => {
  const inner = await listen("127.0.0.1:0");
  let accepts = 0;
  const listener: Listener = {
    address: inner.address,
    secure: false,
    accept() {
      if (++accepts > 2) return inner.accept();
      return Promise.reject(new Deno.errors.NotConnected("transport endpoint is not connected"));
    },
    close: () => inner.close(),
    [Symbol.dispose]: () => inner.close(),
  };
  const sent = { up: new AnswerList(true), down: new AnswerList(true) };
  const session = { connection: { id: 1 }, sent };
  const recording = { sessions: [session], steps: [] } as unknown as Recording;
  const replaying = serveReplay(recording, listener);
  const conn = await Deno.connect({ port: (inner.address as TcpAddress).port });
  conn.close();
  const { connections } = await deadline(replaying, "the end of the recording");
  assertEquals([connections, accepts], [1, 3]);
});
