import { expect, it } from "vitest";
import { queriedRecords } from "../../../test/queried-records.ts";
import { indexedText } from "../embedded/indexed-text.ts";
import { readResource, toStoredRecord } from "../embedded/stored-record.ts";
import { searchedText } from "./searched-text.ts";

const RECORDS = 2000;
/** Two bodies, keys that come twice, exceptions that are neither texts nor whole numbers. */
const CONTRADICTING_SHARE = 0.02;

it("tells what was indexed, but of records that contradict themselves", () => {
  const records = queriedRecords({ seed: 4, count: RECORDS });
  const differing = records.filter((record) => {
    const row = { ...record, resource: readResource(record.resource), scope: "" };
    expect(indexedText(row)).toBe(record.text);
    return searchedText(toStoredRecord(row)) !== record.text;
  });
  expect(differing.length).toBeLessThan(RECORDS * CONTRADICTING_SHARE);
});

it("has the event's name where there is no message, and what was thrown", () => {
  const check = (given: Partial<Parameters<typeof searchedText>[0]>, want: string) => {
    const record = { kind: "log", message: "", body: null, attributes: {}, ...given } as const;
    expect(searchedText(record)).toBe(want);
  };
  check({ message: "m", attributes: { "event.name": "e" } }, "m");
  check({ attributes: { "event.name": "e" } }, "e");
  check({ attributes: { "event.name": { a: 1 } } }, "");
  const thrown = { "exception.type": "TypeError", "exception.message": "no" };
  check({ message: "m", attributes: thrown }, "m\nTypeError: no");
  check({ message: "TypeError: no!", attributes: thrown }, "TypeError: no!");
  check({ attributes: { "exception.stacktrace": "Error: x\n at y" } }, "Error: x");
  check({ kind: "span", message: "GET", attributes: thrown }, "GET");
  check({ message: '{"a":[1]}', body: { a: [1] } }, '{"a":[1]}');
  const long = "ä".repeat(20_000);
  check({ message: long }, "ä".repeat(16_384));
  check({ message: `x${long}` }, `x${"ä".repeat(16_383)}`);
});
