import type { IncomingMessage } from "node:http";
import { HEADER } from "@clew/instrumentation/names";
import { checkToken } from "../../check-token.ts";
import { ClewError, toClewError } from "../../errors.ts";
import { decodeText } from "../../lines/decode-text.ts";
import { readLine } from "../../lines/line-record.ts";
import { LineSplitter } from "../../lines/line-splitter.ts";
import { PROBLEM_MEDIA_TYPE, toProblem } from "../../query/problem.ts";
import type { HttpDoor } from "../http-receiver.ts";
import { errorHeaders, type Reply } from "../http-reply.ts";
import type { Reservation } from "../in-flight-bytes.ts";
import { isRepeat } from "../request-head.ts";
import { type DocumentDoorOptions, RecordEncoder, readDocuments } from "./document-body.ts";

const PATH = "/ingest/ndjson";
/** The instrumentation scope of these records. */
const SCOPE = "clew.ndjson";
const LINE_TYPES: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/json",
  "text/plain",
]);
const PARAMETER_CHARACTERS_MAX = 256;
/** Lists of keys that are kept ready, one for each `transactionKey` in use. */
const KEY_LISTS_MAX = 100;

/**
 * Takes lines: each a JSON object, or text. No line is refused: what is no JSON object is kept as
 * text, and one longer than a record may be becomes several.
 */
export class NdjsonDoor implements HttpDoor {
  readonly #options: DocumentDoorOptions;
  readonly #keyLists = new Map<string, readonly string[]>();

  constructor(options: DocumentDoorOptions) {
    this.#options = options;
  }

  handles(path: string): boolean {
    return path === PATH;
  }

  async answer(request: IncomingMessage): Promise<Reply> {
    const { intake, config } = this.#options;
    try {
      checkToken(request.headers.authorization, config.ingestTokens);
      checkHead(request);
      const reservation = intake.open();
      try {
        return await this.#take(request, reservation);
      } finally {
        reservation.release();
      }
    } catch (thrown) {
      const error = toClewError(thrown);
      intake.refuse(error);
      const { status } = error.kind;
      const headers = { ...errorHeaders(status), "Content-Type": PROBLEM_MEDIA_TYPE };
      return { status, headers, body: Buffer.from(JSON.stringify(toProblem(error))) };
    }
  }

  async #take(request: IncomingMessage, reservation: Reservation): Promise<Reply> {
    const value = await this.#read(request, reservation);
    const attempt = request.headers[HEADER.attempt];
    const taken = { signal: "logs", value, isRepeat: isRepeat(attempt), reservation } as const;
    const { accepted } = await this.#options.intake.take(taken);
    // Every line was kept, or this point is not reached; the list is for what a later version may
    // have to refuse, so that clients look at it from the first day.
    const answer = { accepted, rejected: [] };
    const headers = { "Content-Type": "application/json" };
    return { status: 200, headers, body: Buffer.from(JSON.stringify(answer)) };
  }

  /** The lines as an OTLP request; the body is let go of when this has resolved. */
  async #read(request: IncomingMessage, reservation: Reservation): Promise<Buffer> {
    const { service, transactionKey } = parseParameters(request.url);
    const body = await readDocuments(request, this.#options, reservation);
    const encoder = new RecordEncoder({ scope: SCOPE, service, reservation });
    const keys = this.#keysWith(transactionKey);
    const observedNs = this.#options.nowNs();
    for (const line of linesOf(body)) {
      const text = decodeText(line);
      if (text.trim() === "") continue;
      const record = { ...readLine(text, keys), uid: undefined, observedNs, file: undefined };
      encoder.add(record, line.length);
      if (encoder.isFull) await encoder.flush();
    }
    const value = encoder.finish();
    reservation.shrink(body.length);
    return value;
  }

  #keysWith(key: string | undefined): readonly string[] {
    const { transactionKeys } = this.#options.config;
    if (key === undefined) return transactionKeys;
    const known = this.#keyLists.get(key);
    if (known !== undefined) return known;
    const keys = [key, ...transactionKeys];
    if (this.#keyLists.size < KEY_LISTS_MAX) this.#keyLists.set(key, keys);
    return keys;
  }
}

interface Parameters {
  readonly service: string | undefined;
  readonly transactionKey: string | undefined;
}

function* linesOf(body: Buffer): Generator<Buffer> {
  const splitter = new LineSplitter();
  yield* splitter.push(body);
  yield* splitter.end();
}

/** @throws ClewError METHOD_NOT_ALLOWED, MEDIA_TYPE_UNSUPPORTED */
function checkHead({ method, headers }: IncomingMessage): void {
  if (method !== "POST") {
    throw new ClewError("METHOD_NOT_ALLOWED", "cannot answer: this path takes POST only");
  }
  const [mediaType = ""] = (headers["content-type"] ?? "text/plain").split(";", 1);
  if (LINE_TYPES.has(mediaType.trim().toLowerCase())) return;
  const allowed = [...LINE_TYPES].join(", ");
  const what = JSON.stringify(mediaType.slice(0, 100));
  throw new ClewError("MEDIA_TYPE_UNSUPPORTED", `cannot read ${what}: supported are ${allowed}`);
}

/** @throws ClewError PARAMETER_INVALID */
function parseParameters(url = ""): Parameters {
  const [, query = ""] = url.split("?", 2);
  const parameters = new URLSearchParams(query);
  const find = (name: string): string | undefined => {
    const value = parameters.get(name) ?? "";
    if (value.length <= PARAMETER_CHARACTERS_MAX) return value === "" ? undefined : value;
    const why = `it has more than ${PARAMETER_CHARACTERS_MAX} characters`;
    throw new ClewError("PARAMETER_INVALID", `cannot take ${name}: ${why}`);
  };
  return { service: find("service"), transactionKey: find("transactionKey") };
}
