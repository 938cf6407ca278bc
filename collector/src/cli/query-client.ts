import { type ClientConfig, VARIABLE } from "../config.ts";
import { ClewError, ERRORS, type ErrorCode } from "../errors.ts";

const ANSWER_MS_MAX = 30_000;
const CONNECT_MS_MAX = 10_000;

export interface QueryRequest {
  /** Below `/api/v1`. */
  readonly path: string;
  readonly parameters?: Readonly<Record<string, string | undefined>>;
}

export interface SendRequest {
  /** Below `/api/v1`. */
  readonly path: string;
  /** Goes as JSON. */
  readonly body: object;
}

export interface StreamRequest extends QueryRequest {
  readonly lastEventId?: string | undefined;
  readonly signal: AbortSignal;
}

export interface QueryClientOptions {
  /** The configuration's own where undefined. */
  readonly url: string | undefined;
  readonly config: ClientConfig;
  /** Whose token is presented; `query` where absent. */
  readonly role?: "query" | "admin";
}

/** Asks a collector's query API. Errors are one line: what, why, and what to do. */
export class QueryClient {
  readonly #baseUrl: string;
  readonly #token: string | undefined;
  /** Where that token is from. */
  readonly #tokenVariable: string;

  constructor({ url, config, role = "query" }: QueryClientOptions) {
    this.#baseUrl = (url ?? config.queryUrl).replace(/\/+$/, "");
    this.#token = role === "admin" ? config.adminToken : config.queryToken;
    this.#tokenVariable = role === "admin" ? VARIABLE.adminTokens : VARIABLE.queryTokens;
  }

  /** @throws ClewError with the collector's own code, or STORE_UNAVAILABLE where none answered. */
  ask<T>(request: QueryRequest): Promise<T> {
    return this.#answer<T>(request, { headers: { accept: "application/json" } });
  }

  /** As `ask`, of what changes something. */
  send<T>({ path, body }: SendRequest): Promise<T> {
    const headers = { accept: "application/json", "content-type": "application/json" };
    return this.#answer<T>({ path }, { method: "POST", headers, body: JSON.stringify(body) });
  }

  async #answer<T>(request: QueryRequest, init: RequestInit): Promise<T> {
    const signal = AbortSignal.timeout(ANSWER_MS_MAX);
    const response = await this.#fetch(request, { ...init, signal });
    try {
      return (await response.json()) as T;
    } catch (cause) {
      throw this.#unreachable("its answer cannot be read", cause);
    }
  }

  /** Opens a stream of server-sent events; only the time to connect is bounded. */
  async openStream(request: StreamRequest): Promise<ReadableStream<Uint8Array>> {
    const connecting = new AbortController();
    const timer = setTimeout(() => connecting.abort(), CONNECT_MS_MAX);
    const headers: Record<string, string> = { accept: "text/event-stream" };
    if (request.lastEventId !== undefined) headers["last-event-id"] = request.lastEventId;
    try {
      const signal = AbortSignal.any([request.signal, connecting.signal]);
      const response = await this.#fetch(request, { headers, signal });
      if (!response.body) throw this.#unreachable("its answer is empty");
      return response.body;
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch(request: QueryRequest, init: RequestInit): Promise<Response> {
    const url = URL.parse(`${this.#baseUrl}/api/v1${request.path}`);
    if (!url) throw this.#unreachable("this is no URL");
    for (const [name, value] of Object.entries(request.parameters ?? {})) {
      if (value !== undefined && value !== "") url.searchParams.set(name, value);
    }
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set("authorization", `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await fetch(url, { ...init, headers, redirect: "error" });
    } catch (cause) {
      throw this.#unreachable(reasonOf(cause), cause);
    }
    if (!response.ok) throw await this.#refusal(response);
    return response;
  }

  async #refusal(response: Response): Promise<ClewError> {
    const problem = await readProblem(response);
    if (!problem) return this.#unreachable(`it answers ${response.status}, which is no Clew`);
    const hint =
      problem.code === "UNAUTHENTICATED" ? `; give its token in ${this.#tokenVariable}` : "";
    return new ClewError(problem.code, `${problem.detail}${hint}`);
  }

  #unreachable(why: string, cause?: unknown): ClewError {
    const cannot = `cannot ask the collector at ${this.#baseUrl}: ${why}`;
    const hint = "start it with clew serve, or give its address with --url";
    return new ClewError("STORE_UNAVAILABLE", `${cannot}; ${hint}`, { cause });
  }
}

/** What a failed `fetch` means for a person. */
export function reasonOf(thrown: unknown): string {
  const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
  if (!(cause instanceof Error)) return String(cause);
  const code = "code" in cause ? String(cause.code) : cause.name;
  if (code === "ECONNREFUSED") return "nothing listens there";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "its name cannot be resolved";
  if (code === "TimeoutError" || code === "AbortError" || code === "20" || code === "23") {
    return "it did not answer in time";
  }
  return cause.message || code;
}

async function readProblem(
  response: Response,
): Promise<{ code: ErrorCode; detail: string } | undefined> {
  if (!response.headers.get("content-type")?.includes("json")) return undefined;
  const problem = (await response.json()) as { code?: unknown; detail?: unknown };
  const { code, detail } = problem;
  const isKnown = typeof code === "string" && Object.hasOwn(ERRORS, code);
  return isKnown ? { code: code as ErrorCode, detail: String(detail) } : undefined;
}
