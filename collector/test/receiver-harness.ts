/** A receiver on a free port with a bus in memory, and a bare HTTP client to try it with. */
import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect, type Socket } from "node:net";
import type { OutgoingMessage, Position } from "../src/bus/bus.ts";
import { createRegistry, type MetricRegistry } from "../src/metrics.ts";
import type { GrpcReceiverOptions } from "../src/receive/grpc/grpc-receiver.ts";
import {
  HttpReceiver,
  type HttpReceiverOptions,
  RECEIVE_TIMEOUTS,
  type ReceiveTimeouts,
} from "../src/receive/http-receiver.ts";
import { Intake, type IntakeOptions } from "../src/receive/intake.ts";
import { OtlpDoor, type OtlpDoorOptions } from "../src/receive/otlp-door.ts";

export const NOW_NS = 1_700_000_000_000_000_000n;
const MIB = 1024 * 1024;

/** Stands in for the bus's faults, and keeps what reached it. */
export class MemoryBus {
  readonly messages: OutgoingMessage[] = [];
  maxMessageBytes = 1024 * MIB;
  keepsMetrics = false;
  /** What each `publish` waits for, or fails with, before the message is kept. */
  fault: () => Promise<void> = async () => undefined;

  async publish(message: OutgoingMessage): Promise<Position> {
    await this.fault();
    // A value is the bus's until it is durable, and not after.
    this.messages.push({ ...message, value: Buffer.from(message.value) });
    return { partition: "memory/0", offset: this.messages.length - 1 };
  }
}

export interface CreatedReceiver {
  readonly config: ReceiverConfig;
  readonly receiver: HttpReceiver;
  readonly intake: Intake;
  readonly bus: MemoryBus;
  readonly registry: MetricRegistry;
}

export interface RunningReceiver extends CreatedReceiver {
  readonly port: number;
}

export type ReceiverConfig = OtlpDoorOptions["config"] &
  IntakeOptions["config"] &
  HttpReceiverOptions["config"] &
  GrpcReceiverOptions["config"];

export type Timeouts = ReceiveTimeouts & { readonly publishMs: number };

export async function startReceiver(
  config: Partial<ReceiverConfig> = {},
  timeouts: Partial<Timeouts> = {},
): Promise<RunningReceiver> {
  const created = createReceiver(config, timeouts);
  const { port } = await created.receiver.start();
  return { ...created, port };
}

export function createReceiver(
  changes: Partial<ReceiverConfig> = {},
  { publishMs, ...timeouts }: Partial<Timeouts> = {},
): CreatedReceiver {
  const bus = new MemoryBus();
  const registry = createRegistry();
  const config: ReceiverConfig = {
    host: "127.0.0.1",
    otlpHttpPort: 0,
    otlpGrpcPort: 0,
    tls: undefined,
    ingestTokens: [],
    maxRequestBytes: 64 * MIB,
    maxInFlightBytes: 128 * MIB,
    transactionKeys: [],
    ...changes,
  };
  const deadline = publishMs === undefined ? {} : { publishTimeoutMs: publishMs };
  const intake = new Intake({ config, bus, registry, nowNs: () => NOW_NS, ...deadline });
  const bodyTimeoutMs = timeouts.bodyMs ?? RECEIVE_TIMEOUTS.bodyMs;
  const doors = [new OtlpDoor({ config, intake, bodyTimeoutMs })] as const;
  const receiver = new HttpReceiver({ config, doors, timeouts });
  return { config, receiver, intake, bus, registry };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Sent {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Sends the body in pieces of this size, without `Content-Length`. */
  readonly chunkBytes?: number;
  readonly agent?: Agent;
}

export const PROTOBUF = { "content-type": "application/x-protobuf" };
export const JSON_TYPE = { "content-type": "application/json" };

/** Sends one request; by default protobuf logs. */
export async function send(sent: Sent): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const body = sent.body ?? Buffer.alloc(0);
  const length = sent.chunkBytes === undefined ? { "content-length": String(body.length) } : {};
  const request = httpRequest({
    host: "127.0.0.1",
    port: sent.port,
    path: sent.path ?? "/v1/logs",
    method: sent.method ?? "POST",
    headers: { ...PROTOBUF, ...length, ...sent.headers },
    ...(sent.agent === undefined ? {} : { agent: sent.agent }),
  });
  request.on("error", reject);
  request.on("response", (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("error", reject);
    response.on("end", () => {
      const { statusCode = 0, headers } = response;
      resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
    });
  });
  const step = sent.chunkBytes ?? Math.max(1, body.length);
  for (let at = 0; at < body.length; at += step) request.write(body.subarray(at, at + step));
  request.end();
  return promise;
}

/** A bare connection, for requests that no client library would send. */
export class RawConnection {
  readonly socket: Socket;
  private received = "";

  constructor(port: number) {
    this.socket = connect({ host: "127.0.0.1", port });
    this.socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
    });
    // A reset is one of the ways in which the other side may close: `ended` tells of it.
    this.socket.on("error", () => this.socket.destroy());
  }

  write(text: string | Uint8Array): void {
    this.socket.write(text);
  }

  get text(): string {
    return this.received;
  }

  /** Everything received, once the other side has closed. */
  async ended(): Promise<string> {
    if (!this.socket.closed) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.socket.once("close", () => resolve());
      await promise;
    }
    return this.received;
  }
}

export function keepAliveAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}
