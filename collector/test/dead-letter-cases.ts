/** What every store promises of dead letters; part of its contract. */
import { expect, it } from "vitest";
import type { DeadLetterFilter, StoredDeadLetter } from "../src/store/dead-letter.ts";
import type { StoreUnderTest } from "../src/store/store.contract.ts";
import type { StoreReader } from "../src/store/store.ts";
import {
  batchOf,
  DAY_NS,
  deadLetter,
  deadLetterAct,
  logRecord,
  NOON_NS,
  SECOND_NS,
} from "./record-fixtures.ts";

/** So many seconds after noon. */
const at = (seconds: number) => NOON_NS + BigInt(seconds) * SECOND_NS;
const PAGES_MAX = 100;

export function deadLetterCases(current: () => StoreUnderTest): void {
  readingCases(current);
  refusalCases(current);
  actCases(current);
  pieceCases(current);
  listCases(current);
  transactionCases(current);
}

type Current = () => StoreUnderTest;

async function tell(current: Current, told: Parameters<typeof batchOf>[1]): Promise<StoreReader> {
  const { writer, reader } = current();
  await writer.write(batchOf([], told));
  return reader;
}

async function find(current: Current, id: string): Promise<StoredDeadLetter> {
  const found = await current().reader.findDeadLetter(id);
  if (found === undefined) throw new Error(`there is no letter ${id}`);
  return found;
}

function readingCases(current: Current): void {
  it("knows no letter that nobody told of", async () => {
    const { reader } = current();
    expect(await reader.findDeadLetter("nobody")).toBeUndefined();
    expect(await reader.deadLetters({ limit: 10 })).toEqual(page([]));
    expect(await reader.deadLetterGroups({ limit: 10 })).toEqual(page([]));
  });

  it("gives a letter back as it was told", async () => {
    const letter = deadLetter("run-1-17", {
      ...{ receivedNs: at(1), refusedNs: at(2) + 1n, transactionId: "t", service: "orders" },
      ...{ runId: "run-1", sequence: 17, reason: "refused", status: 400, topic: "traces" },
      ...{ detail: 'failed to parse "ü"\nline 2', original: new Uint8Array([0, 255, 1, 128]) },
    });
    const reader = await tell(current, { deadLetters: [letter] });
    const { piece: _, ...whole } = letter;
    const expected = { ...whole, isWhole: true, state: "open", refusals: 1, acts: [] };
    const found = await find(current, letter.id);
    expect({ ...found, original: new Uint8Array(found.original) }).toEqual(expected);
    const { items } = await reader.deadLetters({ limit: 10 });
    expect(items.map((item) => ({ ...item, original: item.original.length }))).toEqual([
      { ...expected, original: 0 },
    ]);
  });

  it("keeps letters received at times that no record may have", async () => {
    const times = [0n, 2n ** 63n, 2n ** 64n - 1n];
    const deadLetters = times.map((receivedNs, index) =>
      deadLetter(`d${index}`, { receivedNs, refusedNs: at(index) }),
    );
    const reader = await tell(current, { deadLetters });
    expect(await ids(reader)).toEqual(["d2", "d1", "d0"]);
  });
}

function refusalCases(current: Current): void {
  it("counts a refusal once, however often it is told", async () => {
    const letter = deadLetter("d", { refusedNs: at(1), transactionId: "t" });
    await tell(current, { deadLetters: [letter, letter] });
    const reader = await tell(current, { deadLetters: [letter] });
    expect(await find(current, "d")).toMatchObject({ refusals: 1, refusedNs: at(1) });
    expect((await reader.findTransaction("t"))?.deadLetters).toBe(1);
  });

  it("keeps what the first refusal told, and says why it was refused last", async () => {
    const first = { transactionId: "t", service: "orders", runId: "run", sequence: 4 };
    const original = Buffer.from("first");
    const why = { reason: "refused", status: 400, detail: "first" };
    await tell(current, {
      deadLetters: [deadLetter("d", { ...first, ...why, original, refusedNs: at(1) })],
    });
    const later = {
      ...{ receivedNs: at(5), refusedNs: at(6), transactionId: "other", service: "other" },
      ...{ runId: "other", sequence: 9, original: Buffer.from("edited"), topic: "traces" },
      ...{ reason: "too_large", status: 413, detail: "second" },
    };
    const reader = await tell(current, { deadLetters: [deadLetter("d", later)] });
    const found = await find(current, "d");
    expect(Buffer.from(found.original).toString()).toBe("first");
    expect(found).toMatchObject({ ...first, receivedNs: NOON_NS, topic: "logs", refusals: 2 });
    expect(found).toMatchObject({ reason: "too_large", status: 413, detail: "second" });
    expect(found).toMatchObject({ refusedNs: at(6), state: "open", isWhole: true });
    expect(await ids(reader)).toEqual(["d"]);
    expect((await reader.findTransaction("t"))?.deadLetters).toBe(1);
    expect(await reader.findTransaction("other")).toBeUndefined();
  });

  it("is one letter over days; an earlier refusal told later is only counted", async () => {
    const second = deadLetter("d", { refusedNs: NOON_NS + DAY_NS, detail: "second" });
    await tell(current, { deadLetters: [second] });
    const first = deadLetter("d", { refusedNs: NOON_NS, detail: "first" });
    const reader = await tell(current, { deadLetters: [first] });
    expect(await ids(reader)).toEqual(["d"]);
    const found = await find(current, "d");
    expect(found).toMatchObject({ refusals: 2, refusedNs: NOON_NS + DAY_NS, detail: "second" });
  });
}

function actCases(current: Current): void {
  it("is in the state of the latest act, in whichever order they are told", async () => {
    const discarded = deadLetterAct("d", { act: "discarded", atNs: at(9), reason: "a test's" });
    const replayed = deadLetterAct("d", { act: "replayed", atNs: at(3), actor: "bert" });
    await tell(current, { deadLetters: [deadLetter("d")] });
    await tell(current, { deadLetterActs: [discarded] });
    await tell(current, { deadLetterActs: [replayed, discarded] });
    expect(await find(current, "d")).toMatchObject({
      state: "discarded",
      refusals: 1,
      acts: [replayed, discarded],
    });
  });

  it("keeps what was sent in place of the original, beside it", async () => {
    const edited = Buffer.from("edited");
    const act = deadLetterAct("d", { act: "edited", edited, reason: "the price was a text" });
    const reader = await tell(current, {
      deadLetters: [deadLetter("d", { original: Buffer.from("first") })],
      deadLetterActs: [act],
    });
    const found = await find(current, "d");
    expect(found.state).toBe("edited");
    expect(Buffer.from(found.original).toString()).toBe("first");
    expect(found.acts.map((each) => Buffer.from(each.edited ?? []).toString())).toEqual(["edited"]);
    const { items } = await reader.deadLetters({ limit: 10 });
    expect(items[0]?.acts).toEqual([{ ...act, edited: null }]);
  });

  it("is open again once it is refused again, at the same moment as well", async () => {
    await tell(current, { deadLetters: [deadLetter("d")] });
    await tell(current, { deadLetterActs: [deadLetterAct("d", { atNs: at(3) })] });
    expect((await find(current, "d")).state).toBe("replayed");
    await tell(current, { deadLetters: [deadLetter("d", { refusedNs: at(2) })] });
    expect((await find(current, "d")).state).toBe("replayed");
    await tell(current, { deadLetters: [deadLetter("d", { refusedNs: at(3) })] });
    expect(await find(current, "d")).toMatchObject({ state: "open", refusals: 3 });
    await tell(current, { deadLetterActs: [deadLetterAct("d", { atNs: at(4) })] });
    expect((await find(current, "d")).state).toBe("replayed");
  });

  it("knows an act that was told before its letter, and no letter by an act alone", async () => {
    const reader = await tell(current, { deadLetterActs: [deadLetterAct("d", { atNs: at(3) })] });
    expect(await reader.findDeadLetter("d")).toBeUndefined();
    expect(await ids(reader)).toEqual([]);
    const letter = deadLetter("d", { refusedNs: NOON_NS - DAY_NS, transactionId: "t" });
    await tell(current, { deadLetters: [letter] });
    expect(await find(current, "d")).toMatchObject({ state: "replayed", refusals: 1 });
    expect(await reader.findTransaction("t")).toMatchObject({ deadLetters: 0 });
  });
}

function pieceCases(current: Current): void {
  const pieces = (refusedNs: bigint, texts: readonly string[]) =>
    texts.map((text, index) =>
      deadLetter("d", {
        ...{ refusedNs, transactionId: "t", original: Buffer.from(text) },
        piece: { index, count: texts.length },
      }),
    );

  it("joins the pieces of a letter, in whichever order and however often they come", async () => {
    const [first, second, third] = pieces(at(1), ["one ", "two ", "three"]);
    if (!first || !second || !third) throw new Error("there are three pieces");
    await tell(current, { deadLetters: [third, first] });
    const part = await find(current, "d");
    expect(part.isWhole).toBe(false);
    expect(Buffer.from(part.original).toString()).toBe("one ");
    const reader = await tell(current, { deadLetters: [first, second, third] });
    const whole = await find(current, "d");
    expect(whole).toMatchObject({ isWhole: true, refusals: 1 });
    expect(Buffer.from(whole.original).toString()).toBe("one two three");
    expect(await ids(reader)).toEqual(["d"]);
    expect((await reader.findTransaction("t"))?.deadLetters).toBe(1);
  });

  it("never joins pieces of two refusals", async () => {
    const [first] = pieces(at(1), ["one ", "two"]);
    if (!first) throw new Error("there are two pieces");
    await tell(current, { deadLetters: [first, ...pieces(at(2), ["1 ", "2 ", "3"])] });
    const found = await find(current, "d");
    expect(found).toMatchObject({ isWhole: true, refusals: 2 });
    expect(Buffer.from(found.original).toString()).toBe("1 2 3");
  });
}

function listCases(current: Current): void {
  const LETTERS = [
    deadLetter("a", { refusedNs: at(1), service: "orders", detail: "field 1 is no number" }),
    deadLetter("b", { refusedNs: at(2), service: "orders", detail: "field 22 is no number" }),
    deadLetter("c", { refusedNs: at(2), reason: "too_large", transactionId: "t" }),
    deadLetter("d", { refusedNs: at(3) + DAY_NS, service: "orders", transactionId: "t" }),
    deadLetter("e", { refusedNs: at(4), service: "orders", detail: "field 3 is no number" }),
  ];

  it.each<[string, Omit<DeadLetterFilter, "limit">, string]>([
    ["all, refused last first", {}, "decba"],
    ["of a state", { state: "discarded" }, "e"],
    ["open ones", { state: "open" }, "dcba"],
    ["of a reason", { reason: "too_large" }, "c"],
    ["of a service", { service: "orders" }, "deba"],
    ["of a transaction", { transactionId: "t" }, "dc"],
    ["from a time on", { fromNs: at(2) }, "decb"],
    ["before a time", { toNs: at(2) }, "a"],
    ["of all that at once", { service: "orders", state: "open", toNs: at(4) }, "ba"],
    ["of nobody", { service: "nobody" }, ""],
  ])("lists letters: %s", async (_name, filter, expected) => {
    const act = deadLetterAct("e", { act: "discarded", atNs: at(5) });
    const reader = await tell(current, { deadLetters: LETTERS, deadLetterActs: [act] });
    for (const limit of [1, 2, 10])
      expect((await ids(reader, filter, limit)).join("")).toBe(expected);
  });

  it("refuses a cursor that it did not give", async () => {
    const asked = current().reader.deadLetters({ cursor: "nonsense", limit: 1 });
    await expect(asked).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });

  it("groups letters that were refused for the same thing", async () => {
    const reader = await tell(current, { deadLetters: LETTERS });
    const times = (firstNs: bigint, lastNs: bigint) => ({
      firstRefusedNs: firstNs,
      lastRefusedNs: lastNs,
    });
    const noNumber = {
      ...{ reason: "refused", service: "orders", pattern: "field * is no number", count: 3 },
      ...{ ...times(at(1), at(4)), exampleId: "e" },
    };
    const others = [
      { reason: "refused", service: "orders", pattern: "it was too large", count: 1 },
      { reason: "too_large", service: "", pattern: "it was too large", count: 1 },
    ];
    const day = at(3) + DAY_NS;
    expect(await reader.deadLetterGroups({ limit: 10 })).toEqual(
      page([
        noNumber,
        { ...others[0], ...times(day, day), exampleId: "d" },
        { ...others[1], ...times(at(2), at(2)), exampleId: "c" },
      ]),
    );
    const cut = await reader.deadLetterGroups({ limit: 1 });
    expect(cut).toEqual({ items: [noNumber], cursor: null, isCut: true });
    const some = await reader.deadLetterGroups({ reason: "too_large", limit: 10 });
    expect(some.items.map(({ exampleId }) => exampleId)).toEqual(["c"]);
  });
}

function transactionCases(current: Current): void {
  it("counts the open letters of a transaction, and knows it without any", async () => {
    const { writer, reader } = current();
    const letter = deadLetter("d", { receivedNs: at(7), refusedNs: at(8), transactionId: "t" });
    await writer.write(batchOf([], { deadLetters: [letter] }));
    const times = { startedNs: at(7), endedNs: at(7) };
    expect(await reader.findTransaction("t")).toMatchObject({ deadLetters: 1, ...times });
    const act = deadLetterAct("d", { act: "discarded", atNs: at(9) });
    await writer.write(batchOf([], { deadLetterActs: [act] }));
    expect(await reader.findTransaction("t")).toMatchObject({ deadLetters: 0, ...times });
    await writer.write(batchOf([], { deadLetters: [{ ...letter, refusedNs: at(10) }] }));
    expect(await reader.findTransaction("t")).toMatchObject({ deadLetters: 1, ...times });
    const record = logRecord("r", { transactionId: "t", timeNs: at(1) });
    await writer.write(batchOf([record], { deadLetterActs: [{ ...act, atNs: at(11) }] }));
    expect(await reader.findTransaction("t")).toMatchObject({
      ...{ deadLetters: 0, logs: 1, startedNs: at(1), endedNs: at(1) },
    });
  });
}

function page<T>(items: readonly T[]) {
  return { items, cursor: null, isCut: false };
}

/** Of every page, in the order of the list. */
async function ids(
  reader: StoreReader,
  filter: Omit<DeadLetterFilter, "limit"> = {},
  limit = 10,
): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    const asked = { ...filter, limit, ...(cursor === undefined ? {} : { cursor }) };
    const answer = await reader.deadLetters(asked);
    found.push(...answer.items.map(({ id }) => id));
    if (answer.cursor === null) return found;
    cursor = answer.cursor;
  }
  throw new Error("the list has no end");
}
