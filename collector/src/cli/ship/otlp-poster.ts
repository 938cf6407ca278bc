import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest, Agent as TlsAgent } from "node:https";
import { promisify } from "node:util";
import { constants, gzip, zstdCompress } from "node:zlib";
import { HEADER } from "@clew/instrumentation/names";
import { reasonOf } from "../query-client.ts";
import { type HttpAnswer, type OtlpAnswer, readOtlpAnswer } from "./otlp-answer.ts";

export interface OtlpPosterOptions {
  readonly otlpUrl: string;
  readonly token: string | undefined;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
}

export interface Posting {
  readonly body: Buffer;
  /** From 1; 2 and more say that the records may have been sent before. */
  readonly attempt: number;
}

const REQUEST_MS_MAX = 60_000;
const ANSWER_BYTES_MAX = 1024 * 1024;
const UNSUPPORTED_MEDIA_TYPE = 415;
/** Level 1: see docs/ship.md, "Speed", for what it was measured against. */
const ZSTD = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const compressGzip = promisify(gzip);
const compressZstd = promisify(zstdCompress);

/**
 * Posts OTLP export requests, compressed by zstd, or by gzip once a receiver has refused zstd. Over
 * `node:http`, which takes less of the CPU than `fetch`.
 */
export class OtlpPoster {
  readonly url: string;
  readonly #options: OtlpPosterOptions;
  readonly #agent: Agent;
  #encoding: "zstd" | "gzip" = "zstd";

  constructor(options: OtlpPosterOptions) {
    this.#options = options;
    this.url = `${options.otlpUrl.replace(/\/+$/, "")}/v1/logs`;
    const isTls = this.url.startsWith("https:");
    this.#agent = isTls ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  }

  /** Resolves with what came of it, whatever that is; throws only the signal's reason. */
  async post({ body, attempt }: Posting): Promise<OtlpAnswer> {
    const encoding = this.#encoding;
    const packed = encoding === "zstd" ? await compressZstd(body, ZSTD) : await compressGzip(body);
    const { signal, token } = this.#options;
    const headers: Record<string, string> = {
      "content-type": "application/x-protobuf",
      "content-encoding": encoding,
      "content-length": String(packed.length),
    };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    if (attempt > 1) headers[HEADER.attempt] = String(attempt);
    let answer: OtlpAnswer;
    try {
      answer = readOtlpAnswer(await this.#exchange(headers, packed));
    } catch (error) {
      signal.throwIfAborted();
      return { status: 0, reason: reasonOf(error), rejected: 0, retryAfterMs: 0 };
    }
    if (answer.status !== UNSUPPORTED_MEDIA_TYPE || encoding === "gzip") return answer;
    this.#encoding = "gzip";
    return this.post({ body, attempt });
  }

  stop(): void {
    this.#agent.destroy();
  }

  async #exchange(headers: Record<string, string>, body: Buffer): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const send = this.url.startsWith("https:") ? httpsRequest : httpRequest;
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(REQUEST_MS_MAX)]);
    const request: ClientRequest = send(this.url, {
      method: "POST",
      headers,
      agent: this.#agent,
      signal,
    });
    request.once("error", reject);
    request.once("response", (response) => readWhole(response).then(resolve, reject));
    request.end(body);
    return promise;
  }
}

async function readWhole(response: IncomingMessage): Promise<HttpAnswer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk as Buffer);
  }
  const { headers, statusCode = 0 } = response;
  return {
    status: statusCode,
    contentType: headers["content-type"] ?? "",
    retryAfter: headers["retry-after"] ?? "",
    body: Buffer.concat(chunks),
  };
}
