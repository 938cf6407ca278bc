import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { HEADER } from "@clew/instrumentation/names";
import { checkToken, type TokenScheme } from "../../check-token.ts";
import { ClewError, toClewError } from "../../errors.ts";
import type { HttpDoor } from "../http-receiver.ts";
import type { Reply } from "../http-reply.ts";
import type { Reservation } from "../in-flight-bytes.ts";
import { isRepeat } from "../request-head.ts";
import { answerProbe } from "./answer-probe.ts";
import { BulkAnswer } from "./bulk-answer.ts";
import { type BulkRecords, readBulk } from "./bulk-records.ts";
import { type DocumentDoorOptions, readDocuments } from "./document-body.ts";
import { elasticsearchError, elasticsearchReply, hasBulkType } from "./elasticsearch-reply.ts";
import { FilterPath } from "./filter-path.ts";

const BULK_PATH = "/_bulk";
/** `/{index}/_bulk`, and `/{index}` alone; Fluent Bit may end it with a slash. */
const INDEX_PATH = /^\/[^/_.][^/]*(?:\/_bulk)?\/?$/;
const BULK = BULK_PATH.slice(1);
const BULK_URL = /\/_bulk\/?(?:\?|$)/;
const SCHEMES: readonly TokenScheme[] = ["bearer", "basic", "apikey"];
const BULK_METHODS: ReadonlySet<string | undefined> = new Set(["POST", "PUT"]);

/**
 * Answers as much of Elasticsearch's REST API as its shippers need: the bulk API, and what they ask
 * before it. Each item's answer is true, and given once the document is durable.
 */
export class ElasticsearchDoor implements HttpDoor {
  readonly #options: DocumentDoorOptions;

  constructor(options: DocumentDoorOptions) {
    this.#options = options;
  }

  handles(path: string): boolean {
    return path === "/" || path.startsWith("/_") || INDEX_PATH.test(path);
  }

  async answer(request: IncomingMessage): Promise<Reply> {
    const { intake, config } = this.#options;
    const { headers } = request;
    try {
      checkToken(headers.authorization, config.ingestTokens, SCHEMES);
      const target = parseTarget(request.url);
      if (!target.isBulk) return probeReply(request, target.parts);
      checkHead(request);
      const reservation = intake.open();
      try {
        return await this.#bulk({ request, target, reservation });
      } finally {
        reservation.release();
      }
    } catch (thrown) {
      const error = toClewError(thrown);
      intake.refuse(error);
      if (error.kind.isRetryable && mistakesAnyAnswerForSuccess(headers)) request.socket.destroy();
      const allowed = BULK_URL.test(request.url ?? "") ? "POST, PUT" : "GET, HEAD";
      return elasticsearchError({ headers, allowed }, error);
    }
  }

  async #bulk(bulk: Bulk): Promise<Reply> {
    const { request, target, reservation } = bulk;
    const startedMs = performance.now();
    const answer = new BulkAnswer(target.filter);
    const { value, hasGivenIds } = await this.#read(bulk, answer);
    const isAgain = hasGivenIds || isRepeat(request.headers[HEADER.attempt]);
    if (value.length > 0) {
      const taken = { signal: "logs", value, isRepeat: isAgain, reservation } as const;
      await this.#options.intake.take(taken);
    }
    const body = answer.finish(performance.now() - startedMs);
    return elasticsearchReply(request.headers, { status: 200, body });
  }

  /** The body is let go of when this has resolved. */
  async #read(bulk: Bulk, answer: BulkAnswer): Promise<BulkRecords> {
    const { request, target, reservation } = bulk;
    const { config, nowNs } = this.#options;
    const body = await readDocuments(request, this.#options, reservation);
    const { transactionKeys } = config;
    const { index } = target;
    const observedNs = nowNs();
    const wanted = { body, index, transactionKeys, observedNs, reservation, answer };
    const read = await readBulk(wanted);
    reservation.shrink(body.length);
    return read;
  }
}

interface Bulk {
  readonly request: IncomingMessage;
  readonly target: Target;
  readonly reservation: Reservation;
}

interface Target {
  readonly parts: readonly string[];
  readonly isBulk: boolean;
  /** Of the path. */
  readonly index: string | undefined;
  readonly filter: FilterPath;
}

/** @throws ClewError REQUEST_MALFORMED where the path cannot be decoded. */
function parseTarget(url = "/"): Target {
  const [path = "/", query = ""] = url.split("?", 2);
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decodePart);
  const isBulk = parts.length <= 2 && parts.at(-1) === BULK;
  const index = isBulk && parts.length === 2 ? parts[0] : undefined;
  const filter = new FilterPath(new URLSearchParams(query).get("filter_path"));
  return { parts, isBulk, index, filter };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    const why = "its path is not UTF-8 in percent-encoding";
    throw new ClewError("REQUEST_MALFORMED", `cannot read the request: ${why}`, { cause });
  }
}

/** @throws ClewError METHOD_NOT_ALLOWED, MEDIA_TYPE_UNSUPPORTED */
function checkHead({ method, headers }: IncomingMessage): void {
  if (!BULK_METHODS.has(method)) {
    throw new ClewError("METHOD_NOT_ALLOWED", "cannot answer: _bulk takes POST and PUT only");
  }
  if (hasBulkType(headers)) return;
  const sent = (headers["content-type"] ?? "").slice(0, 100);
  const why = `Content-Type header [${sent}] is not supported`;
  throw new ClewError("MEDIA_TYPE_UNSUPPORTED", `cannot read the bulk request: ${why}`);
}

function probeReply(request: IncomingMessage, parts: readonly string[]): Reply {
  const { method = "GET", headers, socket } = request;
  const { localAddress = "127.0.0.1", localPort = 0 } = socket;
  const host = localAddress.includes(":") ? `[${localAddress}]` : localAddress;
  const { status, body } = answerProbe({ method, parts, address: `${host}:${localPort}` });
  if (body === undefined) return elasticsearchReply(headers, { status, body: Buffer.alloc(0) });
  if (typeof body === "string") {
    return elasticsearchReply(headers, { status, body: Buffer.from(body), type: "text/plain" });
  }
  return elasticsearchReply(headers, { status, body: Buffer.from(JSON.stringify(body)) });
}

/**
 * rsyslog's omelasticsearch of before 2025 (in Debian 12) does not look at the status of an answer:
 * what it cannot read as a list of items it drops. It tries again only where the connection fails,
 * so that is what it is given. It is told by what libcurl sends where nobody named the program.
 */
function mistakesAnyAnswerForSuccess(headers: IncomingHttpHeaders): boolean {
  const { "user-agent": agent, accept, "content-type": type } = headers;
  return agent === undefined && accept === "*/*" && type === "application/json; charset=utf-8";
}
