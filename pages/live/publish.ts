import { byId } from "../common/dom.ts";
import { count } from "../common/units.ts";
import { brokerClient } from "./broker.ts";
import { messageOf } from "./message_of.ts";

/** Lets the form publish. */
export function startPublishing(): void {
  byId("publish").addEventListener("submit", (event) => {
    event.preventDefault();
    void publish();
  });
}

async function publish(): Promise<void> {
  const state = byId("publish-state");
  const topic = byId<HTMLInputElement>("publish-topic").value.trim();
  const content = byId<HTMLTextAreaElement>("publish-content").value;
  const retain = byId<HTMLInputElement>("publish-retain").checked;
  let text: string;
  let isProblem = false;
  try {
    const client = await brokerClient();
    const { receivers, exact } = await client.confirm(topic, content, { retain });
    const known = exact ? "" : " known to this broker, which is one of several";
    text = `Published to ${topic}: ${count(receivers)} ${
      receivers === 1 ? "receiver" : "receivers"
    }${known}.`;
  } catch (error) {
    text = messageOf(error);
    isProblem = true;
  }
  state.classList.toggle("problem", isProblem);
  state.textContent = text;
}
