import { expect, test } from "vitest";
import { deadLetter, deadLetterAct, NOON_NS } from "../../../test/record-fixtures.ts";
import { actEntries, refusalEntries } from "./document-dead-letter.ts";
import { letterKey } from "./letter-key.ts";

const LARGE = Buffer.from(Array.from({ length: 1_200_000 }, (_, at) => at % 251));
const KEY = letterKey("a");

function joined(entries: ReturnType<typeof refusalEntries>): Buffer {
  const pieces = entries.flatMap(({ document }) =>
    document.kind === "piece" ? [Buffer.from(document.bytes, "base64")] : [],
  );
  return Buffer.concat(pieces);
}

test("a refusal is one document with the original bytes", () => {
  const refusedNs = NOON_NS + 5n;
  const where = { transactionId: "t", service: "orders", runId: "run", sequence: 3, status: 400 };
  const entries = refusalEntries(deadLetter("a", { refusedNs, ...where }));
  expect(entries).toEqual([
    {
      id: `${KEY}-${refusedNs}`,
      document: {
        ...{ "@timestamp": "2026-03-01T12:00:00.000000005Z", letter: KEY, letter_id: "a" },
        ...{ kind: "refusal", transaction_id: "t", service: { name: "orders" } },
        clew: { received: "2026-03-01T12:00:00.000000000Z", sequence: 3, run: { id: "run" } },
        ...{ reason: "refused", status: 400, detail: "it was too large", topic: "logs" },
        original: Buffer.from("original").toString("base64"),
      },
    },
  ]);
});

test("told twice it has the same ids, refused again others", () => {
  const ids = (refusedNs: bigint) =>
    refusalEntries(deadLetter("a", { refusedNs })).map(({ id }) => id);
  expect(ids(1n)).toEqual(ids(1n));
  expect(ids(1n)).not.toEqual(ids(2n));
  const act = (given: object) => actEntries(deadLetterAct("a", given)).map(({ id }) => id);
  expect(act({})).toEqual(act({}));
  const others = [act({ actor: "bob" }), act({ atNs: 1n }), act({ act: "discarded" })];
  expect(new Set([act({}), ...others].flat()).size).toBe(4);
});

test("large bytes come before it in pieces, of which none is lost", () => {
  const entries = refusalEntries(deadLetter("a", { original: LARGE }));
  const last = entries.at(-1)?.document;
  expect(last).toMatchObject({ kind: "refusal", parts: 1 });
  expect(last).not.toHaveProperty("original");
  expect(joined(entries).equals(LARGE)).toBe(true);
  const [first] = entries;
  expect(first?.id).toBe(`${entries.at(-1)?.id}-0-0`);
  expect(first?.document).toMatchObject({ owner: entries.at(-1)?.id, place: 0, places: 3 });
  expect(JSON.stringify(first?.document).length).toBeLessThan(1_000_000);
});

test("a letter that came in pieces is one refusal", () => {
  const told = [0, 1].map((index) =>
    refusalEntries(deadLetter("a", { piece: { index, count: 2 } })),
  );
  expect(told.map((entries) => entries.at(-1))).toEqual([told[0]?.at(-1), told[0]?.at(-1)]);
  expect(told.map((entries) => entries[0]?.id.slice(-4))).toEqual(["-0-0", "-1-0"]);
  expect(told[0]?.at(-1)?.document).toMatchObject({ parts: 2 });
});

test("an act has what was sent in its place", () => {
  const edited = deadLetterAct("a", { act: "edited", edited: LARGE, reason: "typo" });
  const entries = actEntries(edited);
  expect(entries.at(-1)?.document).toMatchObject({
    kind: "act",
    act: "edited",
    why: "typo",
    parts: 1,
  });
  expect(joined(entries).equals(LARGE)).toBe(true);
  const small = actEntries({ ...edited, edited: Buffer.from("x") });
  expect(small.map(({ document }) => document)).toMatchObject([{ edited: "eA==" }]);
  const [empty] = actEntries({ ...edited, edited: Buffer.alloc(0) });
  expect(empty?.document).toMatchObject({ edited: "" });
});
