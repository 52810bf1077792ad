import { RequestError } from "../../request/request_error.ts";

/** A request's content: its `action`, its `value`, and what else the action takes. */
export type ActionRequest = Readonly<Record<string, unknown>>;

/** The object that a request's content is. @throws {RequestError} if it is something else. */
export function requestObject(content: unknown): ActionRequest {
  if (typeof content === "object" && content !== null && !Array.isArray(content)) {
    return content as ActionRequest;
  }
  throw new RequestError("bad-request", "The content is JSON, but not an object");
}

/** A field that must be a text. @throws {RequestError} if it is not. */
export function textField(request: ActionRequest, name: string): string {
  const value = request[name];
  if (typeof value === "string") return value;
  throw new RequestError("bad-request", `The request's "${name}" must be a string`);
}

/** A field that may be left out, and else must be a whole number. @throws {RequestError} */
export function numberField(request: ActionRequest, name: string): number | undefined {
  const value = request[name];
  if (value === undefined) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new RequestError("bad-request", `The request's "${name}" must be a whole number from 0`);
}

/** A field that may be left out, and else must be true or false. @throws {RequestError} */
export function booleanField(request: ActionRequest, name: string): boolean | undefined {
  const value = request[name];
  if (value === undefined || typeof value === "boolean") return value;
  throw new RequestError("bad-request", `The request's "${name}" must be true or false`);
}

/** The fields of `put`. @throws {RequestError} */
export function putFields(request: ActionRequest): { key: string; title: string; text: string } {
  const key = textField(request, "key");
  const text = textField(request, "value");
  const title = request["title"] === undefined ? key : textField(request, "title");
  return { key, title: title === "" ? key : title, text };
}
