import { expect } from "vitest";

/** Of a stored record what these tests look at. */
export interface ReadRecord {
  readonly id: string;
  readonly kind: "log" | "span";
  readonly service: string;
  readonly message: string;
  readonly transactionId: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: Readonly<Record<string, unknown>>;
  readonly span: { readonly kind: string; readonly links: readonly unknown[] } | null;
}

export interface ReadTransaction {
  readonly transactionId: string;
  readonly status: string;
  readonly verdict: string;
  readonly verdictReason: string;
  readonly missing: readonly Readonly<Record<string, unknown>>[];
  readonly doubts: readonly Readonly<Record<string, unknown>>[];
  readonly waiting: readonly Readonly<Record<string, unknown>>[];
  readonly steps: readonly { readonly name: string; readonly status: string }[];
  readonly services: readonly string[];
  readonly counts: { readonly logs: number; readonly spans: number };
  readonly hops: readonly Readonly<Record<string, unknown>>[];
}

const PAGE_RECORDS = 1000;
const PAGES_MAX = 1000;
const REQUEST_TIMEOUT_MS = 30_000;

/** A running collector's query API. */
export class QueryApi {
  readonly #url: string;

  constructor(port: number) {
    this.#url = `http://127.0.0.1:${port}/api/v1`;
  }

  /** Undefined where the collector knows nothing of it. */
  async findTransaction(id: string): Promise<ReadTransaction | undefined> {
    const response = await this.#get(`/transactions/${id}`);
    if (response.status === 404) return undefined;
    expect(response.status).toBe(200);
    return (await response.json()) as ReadTransaction;
  }

  recordsOf(id: string): Promise<readonly ReadRecord[]> {
    return this.#allPages(`/transactions/${id}/records?limit=${PAGE_RECORDS}`);
  }

  logs(): Promise<readonly ReadRecord[]> {
    return this.#allPages(`/logs?limit=${PAGE_RECORDS}`);
  }

  /** With the records in which runs report of themselves. */
  logsAndReports(): Promise<readonly ReadRecord[]> {
    return this.#allPages(`/logs?reports=1&limit=${PAGE_RECORDS}`);
  }

  async #allPages(path: string): Promise<readonly ReadRecord[]> {
    const records: ReadRecord[] = [];
    let cursor: string | null = "";
    for (let page = 0; cursor !== null; page++) {
      if (page === PAGES_MAX) throw new Error(`cannot read ${path}: more than ${page} pages`);
      const response = await this.#get(cursor ? `${path}&cursor=${cursor}` : path);
      expect(response.status).toBe(200);
      const answer = (await response.json()) as { records: ReadRecord[]; cursor: string | null };
      records.push(...answer.records);
      cursor = answer.cursor;
    }
    return records;
  }

  #get(path: string): Promise<Response> {
    return fetch(this.#url + path, { signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
  }
}
