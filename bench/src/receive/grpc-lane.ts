/** OTLP/gRPC on bare HTTP/2: unary calls with bodies that were framed before. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import { type Answer, type Lane, refuseAnswer } from "./lane.ts";
import type { BodyShape } from "./request-bodies.ts";

const FRAME_HEAD_BYTES = 5;
const STATUS = { ok: "0", resourceExhausted: "8", unavailable: "14" } as const;
const REFUSED: ReadonlySet<string> = new Set([STATUS.resourceExhausted, STATUS.unavailable]);

/** gRPC's length-prefixed message: uint8 whether compressed, uint32 length, message. */
export function grpcMessage(body: Buffer, { isZipped }: BodyShape): Buffer {
  const head = Buffer.alloc(FRAME_HEAD_BYTES);
  head.writeUInt8(isZipped ? 1 : 0, 0);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
}

/** One HTTP/2 connection with one call at a time, opened anew where the server closes it. */
export class GrpcLane implements Lane {
  readonly #port: number;
  readonly #encoding: string;
  #session: ClientHttp2Session | undefined;
  #onAnswer: ((answer: Answer) => void) | undefined;

  constructor(port: number, { isZipped }: BodyShape) {
    this.#port = port;
    this.#encoding = isZipped ? "gzip" : "identity";
  }

  /** @param message from `grpcMessage` */
  send(message: Buffer, onAnswer: (answer: Answer) => void): void {
    this.#onAnswer = onAnswer;
    const call = this.#open().request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      [constants.HTTP2_HEADER_TE]: "trailers",
      "grpc-encoding": this.#encoding,
    });
    this.#listen(call);
    call.end(message);
  }

  close(): void {
    this.#onAnswer = undefined;
    this.#session?.destroy();
  }

  #listen(call: ClientHttp2Stream): void {
    let status: string | undefined;
    const read = (headers: IncomingHttpHeaders) => {
      status ??= headers["grpc-status"]?.toString();
    };
    // A refusal may come as trailers only, which HTTP/2 shows as the headers of the response.
    call.on("response", read).on("trailers", read).resume();
    // An error is followed by the end, which is what counts.
    call.on("error", () => call.destroy());
    call.on("close", () => this.#tell(answerOf(status)));
  }

  #open(): ClientHttp2Session {
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(`http://127.0.0.1:${this.#port}`);
    session.on("error", () => session.destroy());
    session.on("goaway", () => session.close());
    this.#session = session;
    return session;
  }

  #tell(answer: Answer): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(answer);
  }
}

function answerOf(status: string | undefined): Answer {
  if (status === undefined) return "broken";
  if (status === STATUS.ok) return "accepted";
  return REFUSED.has(status) ? "refused" : refuseAnswer(`gRPC status ${status}`);
}
