import { describe, expect, test } from "vitest";
import type { TransactionView } from "../../../src/query/transaction-view.ts";
import { appendedRows, mergedRows, type ShownRows } from "./merged-rows.ts";

const EMPTY: ShownRows = { rows: [], cursor: null, waiting: 0, isCut: false };
const ids = ({ rows }: ShownRows) => rows.map((row) => row.transactionId).join(" ");
const page = (text: string, cursor: string | null = null) => ({
  transactions: text
    .split(" ")
    .filter(Boolean)
    .map((id) => row(id)),
  cursor,
  isCut: false,
});
const shown = (text: string, cursor: string | null = null): ShownRows => ({
  rows: page(text).transactions,
  cursor,
  waiting: 0,
  isCut: false,
});

describe("a refresh", () => {
  test("of an empty list shows what came, held or not", () => {
    expect(ids(mergedRows(EMPTY, { fresh: page("b a"), isHeld: true }))).toBe("b a");
    expect(ids(mergedRows(EMPTY, { fresh: page("b a"), isHeld: false }))).toBe("b a");
  });

  test("does not move held rows, brings them up to date, and counts what waits", () => {
    const fresh = { ...page("d c b"), transactions: [row("d"), row("c"), row("b", "failed")] };
    const merged = mergedRows(shown("b a", "older"), { fresh, isHeld: true });
    expect(ids(merged)).toBe("b a");
    expect(merged.rows[0]?.status).toBe("failed");
    expect(merged).toMatchObject({ waiting: 2, cursor: "older" });
  });

  test("puts new ones first and keeps older pages and their cursor", () => {
    const merged = mergedRows(shown("c b a", "older"), { fresh: page("d c", "b"), isHeld: false });
    expect(ids(merged)).toBe("d c b a");
    expect(merged).toMatchObject({ waiting: 0, cursor: "older" });
  });

  test("drops a row that no longer passes the filter", () => {
    const merged = mergedRows(shown("c b a", "older"), { fresh: page("d b", "b"), isHeld: false });
    expect(ids(merged)).toBe("d b a");
    expect(ids(mergedRows(shown("c b a"), { fresh: page("d c"), isHeld: false }))).toBe("d c");
  });

  test("drops older pages where others may lie in between", () => {
    const merged = mergedRows(shown("b a", "older"), { fresh: page("z y", "x"), isHeld: false });
    expect(ids(merged)).toBe("z y");
    expect(merged.cursor).toBe("x");
  });

  test("empties the list when the store forgot them", () => {
    expect(ids(mergedRows(shown("b a"), { fresh: page(""), isHeld: false }))).toBe("");
  });
});

test("a next page adds what is not there yet", () => {
  const next = appendedRows(shown("c b", "x"), page("b a", null));
  expect(ids(next)).toBe("c b a");
  expect(next.cursor).toBeNull();
});

function row(
  transactionId: string,
  status: TransactionView["status"] = "running",
): TransactionView {
  return {
    transactionId,
    operation: "POST /orders",
    status,
    verdict: "unknown",
    verdictReason: "",
    ...{ missing: [], doubts: [], waiting: [] },
    startedAt: `2026-11-21T03:04:${transactionId.charCodeAt(0) - 60}Z`,
    endedAt: "2026-11-21T03:04:06Z",
    durationMs: 1000,
    deadlineAt: null,
    isLate: false,
    services: ["orders"],
    counts: { logs: 1, spans: 1, errors: 0, deadLetters: 0 },
  };
}
