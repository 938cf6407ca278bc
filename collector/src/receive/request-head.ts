import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { HEADER } from "@clew/instrumentation/names";
import { ClewError } from "../errors.ts";
import type { Signal } from "../otlp/otlp-schema.ts";
import { type ContentEncoding, ENCODINGS } from "./decompress.ts";
import type { ReplyFormat } from "./otlp-reply.ts";

/** What the head of an OTLP/HTTP request tells of its body. */
export interface RequestHead {
  readonly signal: Signal;
  /** Of the body, and so of the answer. */
  readonly format: ReplyFormat;
  readonly encoding: ContentEncoding;
  /** The sender says that it may have sent these records before. */
  readonly isRepeat: boolean;
}

/** @throws ClewError NOT_FOUND, METHOD_NOT_ALLOWED, MEDIA_TYPE_UNSUPPORTED */
export function parseRequestHead(request: IncomingMessage): RequestHead {
  const { method, url, headers } = request;
  const signal = parsePath(url);
  if (method !== "POST") {
    throw new ClewError("METHOD_NOT_ALLOWED", "cannot answer: this path takes POST only");
  }
  const format = parseFormat(headers);
  return {
    signal,
    format,
    encoding: parseEncoding(headers),
    isRepeat: isRepeat(headers[HEADER.attempt]),
  };
}

export function isExportPath(path: string): boolean {
  return SIGNAL_BY_PATH.has(path);
}

/** Whether the sender says that it may have sent these records before. */
export function isRepeat(attempt: unknown): boolean {
  return typeof attempt === "string" && /^\d{1,9}$/.test(attempt) && Number(attempt) > 1;
}

/** The format of the body; undefined where it is not OTLP's. */
export function findFormat(headers: IncomingHttpHeaders): ReplyFormat | undefined {
  const [mediaType = ""] = (headers["content-type"] ?? "").split(";", 1);
  return FORMAT_BY_MEDIA_TYPE.get(mediaType.trim().toLowerCase());
}

const SIGNAL_BY_PATH: ReadonlyMap<string, Signal> = new Map([
  ["/v1/logs", "logs"],
  ["/v1/traces", "traces"],
  ["/v1/metrics", "metrics"],
]);
const FORMAT_BY_MEDIA_TYPE: ReadonlyMap<string, ReplyFormat> = new Map([
  ["application/x-protobuf", "protobuf"],
  ["application/json", "json"],
]);
const SHOWN_CHARACTERS_MAX = 100;

function parsePath(url: string | undefined): Signal {
  const [path = ""] = (url ?? "").split("?", 1);
  const signal = SIGNAL_BY_PATH.get(path);
  if (signal !== undefined) return signal;
  const known = [...SIGNAL_BY_PATH.keys()].join(", ");
  throw new ClewError("NOT_FOUND", `cannot answer ${shown(path)}: POST goes to ${known}`);
}

function parseFormat(headers: IncomingHttpHeaders): ReplyFormat {
  const format = findFormat(headers);
  if (format !== undefined) return format;
  const allowed = [...FORMAT_BY_MEDIA_TYPE.keys()].join(" and ");
  throw unsupported(`content type ${shown(headers["content-type"] ?? "")}: ${allowed} are`);
}

/** @throws ClewError MEDIA_TYPE_UNSUPPORTED */
export function parseEncoding(headers: IncomingHttpHeaders): ContentEncoding {
  const found = (headers["content-encoding"] ?? "identity").trim().toLowerCase();
  const encoding = ENCODINGS.find((candidate) => candidate === found);
  if (encoding !== undefined) return encoding;
  throw unsupported(`content encoding ${shown(found)}: ${ENCODINGS.join(", ")} are`);
}

function unsupported(what: string): ClewError {
  return new ClewError("MEDIA_TYPE_UNSUPPORTED", `cannot read ${what} supported`);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, SHOWN_CHARACTERS_MAX));
}
