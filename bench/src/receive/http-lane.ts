/** OTLP/HTTP on a raw socket: an HTTP client would cost more than the server that is measured. */
import { connect, type Socket } from "node:net";
import { type Answer, type Lane, refuseAnswer } from "./lane.ts";
import type { BodyShape } from "./request-bodies.ts";

const HEAD_END = "\r\n\r\n";
const TOLD_CHARACTERS_MAX = 300;
const REFUSED = new Set([429, 503]);

/** Head and body in one, because two writes are two system calls. */
export function httpRequest(body: Buffer, shape: BodyShape): Buffer {
  const type = shape.format === "json" ? "application/json" : "application/x-protobuf";
  const head = [
    "POST /v1/logs HTTP/1.1",
    "host: 127.0.0.1",
    "user-agent: clew-bench",
    `content-type: ${type}`,
    ...(shape.isZipped ? ["content-encoding: gzip"] : []),
    `content-length: ${body.length}`,
  ];
  return Buffer.concat([Buffer.from(head.join("\r\n") + HEAD_END), body]);
}

/** A kept-alive connection, opened anew where the server closes it. */
export class HttpLane implements Lane {
  readonly #port: number;
  #socket: Socket | undefined;
  #onAnswer: ((answer: Answer) => void) | undefined;
  #received = "";

  constructor(port: number) {
    this.#port = port;
  }

  /** @param request from `httpRequest` */
  send(request: Buffer, onAnswer: (answer: Answer) => void): void {
    this.#onAnswer = onAnswer;
    this.#received = "";
    this.#open().write(request);
  }

  close(): void {
    this.#onAnswer = undefined;
    this.#socket?.destroy();
  }

  #open(): Socket {
    if (this.#socket?.writable) return this.#socket;
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(socket, chunk));
    // An error is followed by the end, which is what counts.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#end(socket));
    return socket;
  }

  #read(socket: Socket, chunk: Buffer): void {
    if (socket !== this.#socket) return;
    this.#received += chunk.toString("latin1");
    const answer = findAnswer(this.#received);
    if (answer === undefined) return;
    if (answer.isLast) socket.destroy();
    this.#tell(answer.isRefusal ? "refused" : "accepted");
  }

  #end(socket: Socket): void {
    if (socket !== this.#socket) return;
    this.#socket = undefined;
    this.#tell("broken");
  }

  #tell(answer: Answer): void {
    const onAnswer = this.#onAnswer;
    this.#onAnswer = undefined;
    onAnswer?.(answer);
  }
}

export interface HttpAnswer {
  readonly isRefusal: boolean;
  /** The connection ends after it. */
  readonly isLast: boolean;
}

/**
 * The answer, once all of it is there.
 * @throws Error where it is neither a success nor a refusal, or its length is not given.
 */
export function findAnswer(received: string): HttpAnswer | undefined {
  const headBytes = received.indexOf(HEAD_END) + HEAD_END.length;
  if (headBytes < HEAD_END.length) return undefined;
  const head = received.slice(0, headBytes);
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
  if (length === undefined) return refuseAnswer(received.slice(0, TOLD_CHARACTERS_MAX));
  if (received.length < headBytes + Number(length)) return undefined;
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  const isRefusal = REFUSED.has(status);
  if (status !== 200 && !isRefusal) refuseAnswer(received.slice(0, TOLD_CHARACTERS_MAX));
  return { isRefusal, isLast: /\r\nconnection: *close\r\n/i.test(head) };
}
