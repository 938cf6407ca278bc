import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
} from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import { clearTimeout, setTimeout } from "node:timers";
import type { SignalTarget } from "../otlp/config.ts";
import { readPartialSuccess } from "../otlp/read-partial-success.ts";
import { EMPTY_CONTEXT, runIn } from "../transaction/transaction-context.ts";
import { HEADER } from "../wire-names.ts";

/** One export request, ready to go. */
export interface Post {
  /** The body in pieces. */
  readonly parts: readonly Uint8Array[];
  /** Which attempt at sending these records this is, from 1. */
  readonly attempt: number;
}

/** What came of one export request. */
export interface Answer {
  /** 0 where there was no answer. */
  readonly status: number;
  /** Records that a 2xx said were not taken. */
  readonly rejected: number;
  readonly retryAfterMs: number | undefined;
  /** Bounded text that says what went wrong. */
  readonly why: string;
  /** Where the request went, without credentials. */
  readonly to: string;
}

const ANSWER_BYTES_MAX = 64 * 1024;
const WHY_CHARACTERS_MAX = 200;
const SOCKETS_MAX = 4;

/** Our own requests are never traced, whatever span was active when a record was made. */
const SUPPRESSED = EMPTY_CONTEXT.with({ suppressed: true });

let httpAgent: HttpAgent | undefined;
let httpsAgent: HttpsAgent | undefined;

/** 408, 429, every 5xx and no answer at all pass with time; everything else is for good. */
export function isRetryable(answer: Pick<Answer, "status">): boolean {
  const { status } = answer;
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/** Posts one request (OTLP 1.11, "OTLP/HTTP Request"). Always answers, within the deadline. */
export async function postBatch(target: SignalTarget, post: Post): Promise<Answer> {
  const url = new URL(target.url);
  const to = url.origin + url.pathname;
  const pieces = target.gzip ? [await gzip(post.parts)] : post.parts;
  const options = {
    method: "POST",
    headers: requestHeaders({ target, attempt: post.attempt, pieces }),
    ...target.tls,
    ...(url.username === "" ? {} : { auth: `${url.username}:${url.password}` }),
  };
  const send = await senderFor(url);
  return runIn(SUPPRESSED, () => {
    return new Promise<Answer>((resolve) => {
      const finish = (answer: Partial<Answer>) => {
        clearTimeout(timer);
        resolve({ status: 0, rejected: 0, retryAfterMs: undefined, why: "", to, ...answer });
      };
      const request = send(url, options);
      const timer = setTimeout(() => {
        request.destroy(new Error(`there was no answer within ${target.timeoutMs} ms`));
      }, target.timeoutMs).unref();
      request.once("socket", (socket) => socket.unref());
      request.once("error", (error) => finish({ why: errorText(error) }));
      request.once("response", (response) => {
        readAnswer(response).then(finish, (error: unknown) => finish({ why: errorText(error) }));
      });
      for (const piece of pieces) request.write(piece);
      request.end();
    });
  });
}

function requestHeaders(of: {
  target: SignalTarget;
  attempt: number;
  pieces: readonly Uint8Array[];
}): Record<string, string> {
  return {
    ...of.target.headers,
    "content-type": "application/x-protobuf",
    "content-length": String(of.pieces.reduce((sum, piece) => sum + piece.length, 0)),
    ...(of.target.gzip ? { "content-encoding": "gzip" } : {}),
    [HEADER.attempt]: String(of.attempt),
  };
}

/**
 * An agent of our own: sockets are unref'd, which must not happen to one the service shares. TLS
 * is loaded only where it is needed, because it costs several milliseconds of start-up.
 */
async function senderFor(url: URL): Promise<(to: URL, options: object) => ClientRequest> {
  if (url.protocol !== "https:") {
    httpAgent ??= new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX });
    const agent = httpAgent;
    return (to, options) => requestHttp(to, { ...options, agent });
  }
  const { Agent, request } = await import("node:https");
  httpsAgent ??= new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  const agent = httpsAgent;
  return (to, options) => request(to, { ...options, agent });
}

async function readAnswer(response: IncomingMessage): Promise<Partial<Answer>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) break;
    chunks.push(chunk);
  }
  const status = response.statusCode ?? 0;
  const body = Buffer.concat(chunks);
  const retryAfterMs = parseRetryAfter(response.headers["retry-after"]);
  const isProtobuf = response.headers["content-type"]?.includes("protobuf") === true;
  if (status >= 200 && status < 300) {
    const partial = isProtobuf ? readPartialSuccess(body) : { rejected: 0, message: "" };
    return { status, rejected: partial.rejected, why: bounded(partial.message) };
  }
  return { status, retryAfterMs, why: bounded(isProtobuf ? "" : body.toString("utf8")) };
}

/** Seconds or an HTTP date (RFC 9110 §10.2.3). */
function parseRetryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

async function gzip(parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const zlib = await import("node:zlib");
  const { promisify } = await import("node:util");
  return promisify(zlib.gzip)(Buffer.concat(parts));
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return "an unknown error";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return bounded(error.message === "" ? code : error.message);
}

/** Text from outside goes to the operator's terminal: control characters are taken out. */
function bounded(text: string): string {
  return text.slice(0, WHY_CHARACTERS_MAX).replace(/[^\x20-\x7e]+/g, " ");
}
