import { askLogin } from "./login.ts";

/** Who the user is, as said in the form: kept in memory, until the page is closed or loaded anew. */
export interface Login {
  /** Empty for a token. */
  readonly user: string;
  readonly secret: string;
}

/** What the server answers where something is wrong. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const GIVE_UP_MS = 10_000;

/** The realm of a server that knows no users. */
const TOKEN_ONLY = "socktool proxy";

let login: Login | undefined;
let asking: Promise<Login> | undefined;

/**
 * Asks the server for JSON. Where it wants to know who asks, the user is asked, once for all that wait.
 *
 * @throws {ApiError} what the server answers; or what `fetch` rejects with if it does not answer.
 */
export function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask(path, {}, signal);
}

/** Sends the server JSON, and resolves to its answer, as {@linkcode getJson} does. */
export function sendJson<T>(path: string, method: "PUT", content: unknown): Promise<T> {
  const headers = { "content-type": "application/json" };
  return ask(path, { method, headers, body: JSON.stringify(content) });
}

async function ask<T>(
  path: string,
  init: RequestInit & { readonly headers?: Readonly<Record<string, string>> },
  signal?: AbortSignal,
): Promise<T> {
  while (true) {
    const used = login;
    const who: Record<string, string> = used ? { authorization: authorization(used) } : {};
    const response = await fetch(path, {
      ...init,
      headers: { ...init.headers, ...who },
      signal: AbortSignal.any([AbortSignal.timeout(GIVE_UP_MS), ...signal ? [signal] : []]),
    });
    const answer = await response.json().catch(() => undefined);
    if (response.ok && answer !== undefined) return answer;
    const { code = "failed", message = `The server answered ${response.status}` } = answer?.error ??
      {};
    if (response.status !== 401) throw new ApiError(response.status, code, message);
    // Somebody may have logged in since this was asked.
    const realm = response.headers.get("www-authenticate") ?? "";
    const needs = realm.includes(TOKEN_ONLY) ? "token" : "user";
    if (used === login) await logIn(needs, used === undefined ? undefined : message);
    signal?.throwIfAborted();
  }
}

/** Who the user is, for a connection of its own; `undefined` as long as nobody had to say. */
export function currentLogin(): { token: string } | { user: string; password: string } | undefined {
  if (login === undefined) return undefined;
  const { user, secret } = login;
  return user === "" ? { token: secret } : { user, password: secret };
}

async function logIn(needs: "token" | "user", problem: string | undefined): Promise<void> {
  asking ??= sayable(needs, problem);
  login = await asking;
  asking = undefined;
}

/** Asks until what is said can stand in a header. */
async function sayable(needs: "token" | "user", problem: string | undefined): Promise<Login> {
  for (let why = problem;; why = "A token has no spaces, and no letters beyond ASCII") {
    const given = await askLogin(needs, why);
    if (given.user !== "" || /^[!-~]+$/.test(given.secret)) return given;
  }
}

function authorization({ user, secret }: Login): string {
  if (user === "") return `Bearer ${secret}`;
  const bytes = new TextEncoder().encode(`${user}:${secret}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}
