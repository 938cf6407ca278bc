import type { TransactionView } from "../../../src/query/transaction-view.ts";
import type { StoredRecord } from "../../../src/record.ts";
import type { ServiceOverview } from "../../../src/store/store.ts";
import { currentSession, refuseToken } from "./session.ts";

export interface TransactionList {
  readonly transactions: readonly TransactionView[];
  readonly cursor: string | null;
  /** The time limit ended the search before all was looked at. */
  readonly isCut: boolean;
}

export interface RecordList {
  readonly records: readonly StoredRecord[];
  readonly cursor: string | null;
  readonly isCut: boolean;
}

export interface Service extends Omit<ServiceOverview, "lastSeenNs"> {
  readonly lastSeenAt: string;
}

export interface ServiceList {
  readonly services: readonly Service[];
}

const API_BASE = "/api/v1";
const ANSWER_DEADLINE_MS = 20_000;

/** Why the collector did not answer what was asked; `status` 0 where it could not be reached. */
export class ApiError extends Error {
  readonly status: number;
  readonly title: string;

  constructor({ status, title, detail }: { status: number; title: string; detail: string }) {
    super(detail || title);
    this.name = "ApiError";
    this.status = status;
    this.title = title;
  }
}

/**
 * Asks the query API, with the token of this session where there is one.
 * @param path after `/api/v1`, with its query.
 * @throws ApiError; a 401 also makes the page ask for a token.
 */
export async function fetchAnswer<T>(path: string, signal: AbortSignal): Promise<T> {
  const deadline = AbortSignal.timeout(ANSWER_DEADLINE_MS);
  try {
    const response = await request(path, {
      signal: AbortSignal.any([signal, deadline]),
      accept: "application/json",
    });
    return (await response.json()) as T;
  } catch (thrown) {
    if (signal.aborted || thrown instanceof ApiError) throw thrown;
    throw new ApiError({
      status: 0,
      title: deadline.aborted
        ? `The collector did not answer within ${ANSWER_DEADLINE_MS / 1000} s`
        : "The collector cannot be reached",
      detail: "",
    });
  }
}

/** Opens an event stream; it has no deadline, since it is meant to stay open until aborted. */
export async function openStream(
  path: string,
  { signal, lastEventId }: { readonly signal: AbortSignal; readonly lastEventId: string },
): Promise<ReadableStream<Uint8Array>> {
  const response = await request(path, { signal, accept: "text/event-stream", lastEventId });
  if (response.body === null) {
    throw new ApiError({ status: response.status, title: "The stream has no body", detail: "" });
  }
  return response.body;
}

interface RequestParts {
  readonly signal: AbortSignal;
  readonly accept: string;
  /** Where a stream goes on. */
  readonly lastEventId?: string;
}

async function request(
  path: string,
  { signal, accept, lastEventId = "" }: RequestParts,
): Promise<Response> {
  const { token } = currentSession();
  const headers = new Headers({ accept });
  if (token !== "") headers.set("authorization", `Bearer ${token}`);
  if (lastEventId !== "") headers.set("last-event-id", lastEventId);
  const response = await fetch(API_BASE + path, { headers, signal });
  if (response.ok) return response;
  if (response.status === 401) refuseToken(token);
  throw await toApiError(response);
}

/** The API answers problem+json (RFC 9457); a proxy between may answer anything. */
async function toApiError(response: Response): Promise<ApiError> {
  const { status } = response;
  const title = `The collector answered ${status}`;
  if (!(response.headers.get("content-type") ?? "").includes("json")) {
    return new ApiError({ status, title, detail: "" });
  }
  const problem = (await response.json()) as { title?: string; detail?: string };
  return new ApiError({ status, title: problem.title ?? title, detail: problem.detail ?? "" });
}
