/** What the three demo services share: JSON over node:http, and a clean end. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageOf } from "../errors.ts";

export interface Reply {
  readonly status: number;
  readonly body: Json;
}

export type Json = { readonly [key: string]: string | number | boolean | null };

/** Answers one request; `path` holds what the route's `:name` parts matched. */
export type Handler = (request: { path: Json; body: Json }) => Promise<Reply>;

export interface ServiceRequest {
  readonly name: string;
  readonly port: number;
  /** The variable that sets the port, for the message where it is taken. */
  readonly portVariable: string;
  /** By `METHOD /path/:name`. */
  readonly routes: Readonly<Record<string, Handler>>;
  /** Where a handler threw. */
  readonly onFault: (error: unknown) => void;
  /** Called at the end, once every request was answered. */
  readonly onStop: () => Promise<void>;
}

const BODY_BYTES_MAX = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Listens, says so on stdout in one JSON line, and ends after SIGTERM: open requests are answered
 * first, then `onStop` runs, then the process ends by itself.
 */
export function runHttpService(service: ServiceRequest): void {
  const routes = Object.entries(service.routes).map(([route, handler]) => {
    return { pattern: toPattern(route), handler };
  });
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request, routes).then(
      (reply) => send(response, reply),
      (error: unknown) => {
        service.onFault(error);
        send(response, { status: 500, body: { error: messageOf(error) } });
      },
    );
  });
  server.once("error", (error: NodeJS.ErrnoException) => {
    const why = error.code === "EADDRINUSE" ? "another process listens there" : error.message;
    process.stderr.write(
      `cannot listen on port ${service.port} for ${service.name}: ${why}; ` +
        `set ${service.portVariable} to another port\n`,
    );
    process.exitCode = 1;
    void service.onStop();
  });
  server.listen(service.port, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    process.stdout.write(`${JSON.stringify({ event: "ready", service: service.name, port })}\n`);
  });
  process.once("SIGTERM", () => stop(server, service.onStop));
}

function stop(server: Server, onStop: () => Promise<void>): void {
  server.close(() => void onStop());
  server.closeIdleConnections();
}

interface Route {
  readonly pattern: RegExp;
  readonly handler: Handler;
}

async function answer(request: IncomingMessage, routes: readonly Route[]): Promise<Reply> {
  const target = `${request.method} ${request.url}`;
  for (const { pattern, handler } of routes) {
    const match = pattern.exec(target);
    if (!match) continue;
    const body = await readBody(request);
    if (body === undefined) return { status: 400, body: { error: "the body is not JSON" } };
    return handler({ path: { ...match.groups }, body });
  }
  request.resume();
  return { status: 404, body: { error: `there is nothing at ${request.url}` } };
}

function toPattern(route: string): RegExp {
  return new RegExp(`^${route.replace(/:(\w+)/g, "(?<$1>[\\w-]+)")}$`);
}

/** Undefined where the body is no JSON object, or larger than a demo order can be. */
async function readBody(request: IncomingMessage): Promise<Json | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk as Buffer);
  }
  return parseObject(Buffer.concat(chunks).toString("utf8"));
}

/** An object of plain values; undefined for anything else. Empty text is an empty object. */
export function parseObject(text: string): Json | undefined {
  if (text === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return isPlainObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isPlainObject(value: unknown): value is Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((item) => item === null || typeof item !== "object");
}

function send(response: ServerResponse, { status, body }: Reply): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
