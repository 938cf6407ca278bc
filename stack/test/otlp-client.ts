/** One OTLP request over any of its three ways, and the answer in one shape. */
import { gzipSync } from "node:zlib";
import {
  type OtlpAnswer,
  readJsonAnswer,
  readResponse,
  readStatus,
} from "../../collector/test/otlp-answer.ts";
import { JSON_TYPE, PROTOBUF, send } from "../../collector/test/receiver-harness.ts";
import { callGrpc, GRPC_PATH, type GrpcAnswer } from "./grpc-call.ts";

export type Signal = "logs" | "traces" | "metrics";
export type Way = "http/protobuf" | "http/json" | "grpc";

export interface OtlpRequest {
  readonly way: Way;
  readonly signal: Signal;
  /** In the way's encoding, not compressed. */
  readonly body: Buffer;
  readonly isGzip?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of the signal's own. */
  readonly path?: string;
  /** HTTP only; POST where absent. */
  readonly method?: string;
}

export interface Told {
  /** HTTP status, or google.rpc.Code. */
  readonly status: number;
  readonly answer: OtlpAnswer;
  readonly answerBytes: number;
  /** `Content-Type` of the answer. */
  readonly type: string;
  readonly retryAfter: string | undefined;
}

export interface OtlpUrls {
  readonly otlpUrl: string;
  readonly otlpGrpcUrl: string;
}

/** The media type of a way's requests. */
export function typeOf(way: Way): string {
  if (way === "grpc") return "application/grpc";
  return way === "http/json" ? JSON_TYPE["content-type"] : PROTOBUF["content-type"];
}

export async function exportOver(urls: OtlpUrls, request: OtlpRequest): Promise<Told> {
  const body = request.isGzip === true ? gzipSync(request.body) : request.body;
  if (request.way !== "grpc") return overHttp(urls.otlpUrl, { ...request, body });
  const { signal, isGzip, headers = {}, path = GRPC_PATH[signal] } = request;
  const encoding = isGzip === true ? "gzip" : "identity";
  return told(await callGrpc({ url: urls.otlpGrpcUrl, path, message: body, encoding, headers }));
}

async function overHttp(url: string, request: OtlpRequest): Promise<Told> {
  const { way, signal, isGzip, body } = request;
  const {
    status,
    headers,
    body: answered,
  } = await send({
    port: Number(new URL(url).port),
    method: request.method ?? "POST",
    path: request.path ?? `/v1/${signal}`,
    body,
    headers: {
      "content-type": typeOf(way),
      ...(isGzip === true ? { "content-encoding": "gzip" } : {}),
      ...request.headers,
    },
  });
  const isSuccess = status === 200;
  const type = headers["content-type"] ?? "";
  const readProtobuf = isSuccess ? readResponse : readStatus;
  return {
    status,
    answer: type.includes("json") ? readJsonAnswer(answered, isSuccess) : readProtobuf(answered),
    answerBytes: answered.length,
    type,
    retryAfter: headers["retry-after"],
  };
}

function told({ code, message, details, body }: GrpcAnswer): Told {
  const status = details === undefined ? {} : readStatus(details);
  const isSuccess = code === 0 && body !== undefined;
  return {
    status: code,
    answer: isSuccess ? readResponse(body) : { details: [], violations: [], ...status, message },
    answerBytes: body?.length ?? Buffer.byteLength(message) + (details?.length ?? 0),
    type: "application/grpc",
    retryAfter: undefined,
  };
}
