/**
 * Loads one server with requests on kept-alive connections, in a process of its own. Raw sockets:
 * an HTTP client would cost more than the server that is measured.
 */
import { connect, type Socket } from "node:net";

export interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly durationMs: number;
  /** As many as the server can answer where there is none. */
  readonly requestsPerSecond?: number;
}

export interface LoadDone {
  readonly answers: number;
  readonly seconds: number;
}

const PACE_MS = 1;
const HEAD_END = "\r\n\r\n";
const OK = "HTTP/1.1 200 ";
const REQUEST = Buffer.from(
  "GET /hello HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nuser-agent: bench\r\n\r\n",
);

/** One connection with at most one request under way. */
class Connection {
  readonly #socket: Socket;
  readonly #onAnswer: (connection: Connection) => void;
  /** Bytes of the answer under way that are still to come; -1 where its head was not read yet. */
  #missing = -1;
  #head = "";

  constructor(socket: Socket, onAnswer: (connection: Connection) => void) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#read(chunk as Buffer));
    socket.on("error", (error) => {
      throw error;
    });
  }

  ask(): void {
    this.#socket.write(REQUEST);
  }

  end(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    if (this.#missing === -1) {
      this.#head += chunk.toString("latin1");
      const end = this.#head.indexOf(HEAD_END);
      if (end === -1) return;
      this.#missing = lengthOf(this.#head) - (this.#head.length - end - HEAD_END.length);
      this.#head = "";
    } else {
      this.#missing -= chunk.length;
    }
    if (this.#missing > 0) return;
    this.#missing = -1;
    this.#onAnswer(this);
  }
}

/** @throws Error where the answer is not 200 or does not say how long it is. */
function lengthOf(head: string): number {
  const length = /\r\ncontent-length: *(\d+)\r\n/i.exec(head)?.[1];
  if (head.startsWith(OK) && length !== undefined) return Number(length);
  throw new Error(`cannot go on with the load: the answer is ${head.slice(0, 200)}`);
}

function load(order: LoadOrder): Promise<LoadDone> {
  return order.requestsPerSecond === undefined
    ? saturate(order)
    : pace(order, order.requestsPerSecond);
}

/**
 * Each connection asks again as soon as it was answered. This process never sleeps meanwhile: a
 * server that is slower than its clients would be charged for waking them, several µs each time on
 * a virtual machine, and one that is faster would not.
 */
async function saturate({ port, connections, durationMs }: LoadOrder): Promise<LoadDone> {
  let answers = 0;
  let isOver = false;
  const stayAwake = () => {
    if (!isOver) setImmediate(stayAwake);
  };
  const all = await openAll({ port, connections }, (connection) => {
    answers++;
    connection.ask();
  });
  const startedMs = performance.now();
  for (const connection of all) connection.ask();
  stayAwake();
  await new Promise((resolve) => setTimeout(resolve, durationMs));
  isOver = true;
  const seconds = (performance.now() - startedMs) / 1000;
  for (const connection of all) connection.end();
  return { answers, seconds };
}

/** What is due by the clock is asked each millisecond, on connections that are free. */
async function pace(order: LoadOrder, requestsPerSecond: number): Promise<LoadDone> {
  let answers = 0;
  const free: Connection[] = [];
  const all = await openAll(order, (connection) => {
    answers++;
    free.push(connection);
  });
  free.push(...all);
  const startedMs = performance.now();
  let asked = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - startedMs;
      const due = Math.floor((Math.min(elapsedMs, order.durationMs) / 1000) * requestsPerSecond);
      for (; asked < due && free.length > 0; asked++) free.pop()?.ask();
      if (elapsedMs < order.durationMs) return;
      clearInterval(timer);
      resolve();
    }, PACE_MS);
  });
  const seconds = (performance.now() - startedMs) / 1000;
  for (const connection of all) connection.end();
  return { answers, seconds };
}

function openAll(
  { port, connections }: Pick<LoadOrder, "port" | "connections">,
  onAnswer: (connection: Connection) => void,
): Promise<Connection[]> {
  const opening = Array.from({ length: connections }, async () => {
    const socket = connect(port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    return new Connection(socket, onAnswer);
  });
  return Promise.all(opening);
}

process.on("message", async (order: LoadOrder) => {
  process.send?.({ done: await load(order) });
});
process.send?.({ isRunning: true });
process.on("disconnect", () => process.exit());
