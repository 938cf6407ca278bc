import { expect, test } from "vitest";
import { type LogSearch, logQuery, tailQuery } from "./log-search.ts";

const NONE: LogSearch = { q: "", service: "", severity: "", range: "", from: "", to: "" };
const nowMs = Date.parse("2026-11-21T03:00:00Z");
const query = (search: Partial<LogSearch>) =>
  Object.fromEntries(new URLSearchParams(logQuery({ ...NONE, ...search }, { nowMs, limit: 9 })));

test.each<[name: string, search: Partial<LogSearch>, want: Record<string, string>]>([
  ["nothing", {}, { limit: "9" }],
  ["a range that is not offered", { range: "99y" }, { limit: "9" }],
  ["times that are none", { range: "between", from: "soon", to: "2026-99-99" }, { limit: "9" }],
  ["times without their range do not count", { from: "2026-01-01T00:00" }, { limit: "9" }],
  ["blank words", { q: "  " }, { limit: "9" }],
  ["words and a phrase", { q: ' card "not & taken" ' }, { limit: "9", q: 'card "not & taken"' }],
  ["a relative range", { range: "1h" }, { limit: "9", from: "2026-11-21T02:00:00.000Z" }],
  [
    "service and severity",
    { service: "a b", severity: "warn" },
    { limit: "9", service: "a b", severity: "warn" },
  ],
])("%s", (_name, search, want) => expect(query(search)).toEqual(want));

test("a range of one's own is read on the reader's clock", () => {
  const { from, to } = query({
    range: "between",
    from: "2026-11-21T02:00",
    to: "2026-11-21T03:00",
  });
  expect(from).toBe(new Date(2026, 10, 21, 2).toISOString());
  expect(to).toBe(new Date(2026, 10, 21, 3).toISOString());
});

test("a tail has no range", () => {
  expect(tailQuery({ ...NONE, q: "a", range: "1h" })).toBe("?q=a");
  expect(tailQuery(NONE)).toBe("");
});
