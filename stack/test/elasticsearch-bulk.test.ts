import { describe, expect, test } from "vitest";
import { sortableHex } from "../../collector/src/store/query-language/number-values.ts";
import { hostileLog, hostileResource, hostileSpan } from "../../collector/test/hostile-payload.ts";
import {
  batchOf,
  DAY_NS,
  deadLetter,
  deadLetterAct,
  type FixtureAttributes,
  logRecord,
  NOON_NS,
  spanRecord,
} from "../../collector/test/record-fixtures.ts";
import { SeededRandom } from "../../collector/test/seeded-random.ts";
import { requireJava } from "../backends/required-programs.ts";
import { BulkSuite } from "./elasticsearch-bulk-suite.ts";
import { rollOver } from "./elasticsearch-documents.ts";

const TEST_MS = 120_000;
const MAPPING_BYTES_MAX = 16 * 1024;
const LAST_NS = 2n ** 63n - 1n;

describe.skipIf(!requireJava("what Elasticsearch stores"))(
  "what Elasticsearch stores",
  () => {
    const suite = new BulkSuite();
    const shared = suite.newStreams();

    test("a record once, however often it comes", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const batch = batchOf([logRecord("a"), logRecord("b"), logRecord("a"), spanRecord("a")]);
      expect(await writer.write(batch)).toEqual({ created: 3, existing: 1, refused: [] });
      expect(await writer.write(batch)).toEqual({ created: 0, existing: 4, refused: [] });
      expect(await suite.ids(streams.logs)).toEqual(["a", "b"]);
      expect(await suite.ids(streams.traces)).toEqual(["a"]);
    });

    test("a record that may repeat once, over rollovers and before any refresh", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      await writer.write(batchOf([logRecord("a"), logRecord("b")]));
      await rollOver(suite.elasticsearch, streams.logs);
      await writer.write(batchOf([logRecord("c")]));
      await rollOver(suite.elasticsearch, streams.logs);
      const again = ["a", "b", "c", "d"].map((id) => logRecord(id, { mayRepeat: true }));
      expect(await writer.write(batchOf(again))).toEqual({ created: 1, existing: 3, refused: [] });
      expect(await suite.ids(streams.logs)).toEqual(["a", "b", "c", "d"]);
    });

    test("a record once where two writers wrote it before and after a rollover", async () => {
      const streams = suite.newStreams();
      const frozen = suite.openWriter({ streams });
      const successor = suite.openWriter({ streams });
      await frozen.write(batchOf([logRecord("first")]));
      await successor.write(batchOf([logRecord("a", { mayRepeat: true }), logRecord("b")]));
      await rollOver(suite.elasticsearch, streams.logs);
      const late = batchOf([logRecord("a"), logRecord("late"), spanRecord("a")]);
      expect(await frozen.write(late)).toEqual({ created: 2, existing: 1, refused: [] });
      expect(await suite.ids(streams.logs)).toEqual(["a", "b", "first", "late"]);
      expect(await suite.ids(streams.traces)).toEqual(["a"]);
      await frozen.write(batchOf([logRecord("last")]));
      expect(await suite.ids(streams.logs)).toContain("last");
    });

    test("10 000 names of attributes, and one with many types, without a new field", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      await writer.write(batchOf([logRecord("first")]));
      const before = await suite.ask("GET", `/${streams.logs}/_mapping`);
      const named = Array.from({ length: 100 }, (_, n) =>
        logRecord(`n${n}`, { attributes: hundredNames(n) }),
      );
      const types = [1n, "one", true, 1.5, ["one"], { one: 1n }, null].map((type, n) =>
        logRecord(`t${n}`, { attributes: { type } }),
      );
      const { created } = await writer.write(batchOf([...named, ...types]));
      expect(created).toBe(named.length + types.length);
      const after = await suite.ask("GET", `/${streams.logs}/_mapping`);
      expect(after).toEqual(before);
      expect(JSON.stringify(after).length).toBeLessThan(MAPPING_BYTES_MAX);
      const last = { term: { "attributes.name.9999": "value 9999" } };
      expect(await suite.ids(streams.logs, last)).toEqual(["n99"]);
      const one = { term: { "attributes.type": "one" } };
      expect(await suite.ids(streams.logs, one)).toEqual(["t1", "t4"]);
    });

    test("hostile records, every one of them", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const random = new SeededRandom(6);
      const records = Array.from({ length: 2000 }, (_, n) => {
        const isLog = random.oneIn(2);
        const payload = isLog ? hostileLog(random) : hostileSpan(random);
        const made = isLog ? logRecord(`r${n}`) : spanRecord(`r${n}`);
        return { ...made, payload, resource: hostileResource(random) };
      });
      const result = await writer.write(batchOf(records));
      expect(result).toEqual({ created: records.length, existing: 0, refused: [] });
    });

    test.each<[string, FixtureAttributes]>([
      ["an empty name", { "": "x" }],
      ["names of dots", { ".": 1n, "..": 2n, "a..b": 3n, "a.b": 4n, a: { b: 5n } }],
      ["a name with NUL", { "a\0b": "x", other: "y" }],
      ["a name within with NUL", { a: { "b\0": "x" } }],
      ["a name of 40 000 characters", { ["n".repeat(40_000)]: "x" }],
      ["a path of 64 000 characters", { ["n".repeat(32_000)]: { ["m".repeat(32_000)]: "x" } }],
      ["a value of a million characters", { long: "x".repeat(1_000_000) }],
      ["the longest name and value that are indexed", { ["n".repeat(8190)]: "中".repeat(8191) }],
      ["a value with NUL", { value: "a\0b" }],
      ["the name __proto__", { ["__proto__"]: "x" }],
      ["NaN and infinities", { a: Number.NaN, b: Number.POSITIVE_INFINITY, c: -0 }],
      ["64 bits", { a: 2n ** 63n - 1n, b: -(2n ** 63n) }],
      ["lists in lists", { a: [[["x"], 1n], { b: [true, null] }] }],
    ])("attributes with %s", async (name, attributes) => {
      const writer = suite.openWriter({ streams: shared });
      const { created, refused } = await writer.write(batchOf([logRecord(name, { attributes })]));
      expect({ created, refused }).toEqual({ created: 1, refused: [] });
    });

    test.each<[string, bigint]>([
      ["1970", 0n],
      ["the last that there is", LAST_NS],
      ["what is beyond it", LAST_NS + 1n],
      ["the year 2554", 2n ** 64n - 1n],
      ["before 1970", -1n],
    ])("a time of %s", async (name, timeNs) => {
      const writer = suite.openWriter({ streams: shared });
      const span = spanRecord(name, { timeNs, durationNs: DAY_NS, deadlineNs: LAST_NS + 5n });
      const records = [logRecord(name, { timeNs, runId: "run", numberedNs: timeNs }), span];
      expect(await writer.write(batchOf(records))).toMatchObject({ created: 2, refused: [] });
    });

    test("a body of a megabyte, and one that is a map", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const text = "word ".repeat(200_000);
      const body = { order: { id: 7n, lines: ["a", "b"] } };
      const records = [logRecord("large", { text, body: text }), logRecord("map", { body })];
      expect((await writer.write(batchOf(records))).created).toBe(2);
      expect(await suite.ids(streams.logs, { match: { words: "word" } })).toEqual(["large"]);
    });

    test("what numbers are beyond or below, as numbers", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const values = { minus: -7n, none: 0n, small: 1.5, ten: "10", more: 200n, huge: 2n ** 62n };
      const records = Object.entries(values).map(([id, n]) => logRecord(id, { attributes: { n } }));
      await writer.write(batchOf(records));
      const beyond = { range: { "numbers.n": { gt: sortableHex(1.5), lt: "g" } } };
      expect(await suite.ids(streams.logs, beyond)).toEqual(["huge", "more", "ten"]);
      const below = { range: { "numbers.n": { gte: "0", lte: sortableHex(0) } } };
      expect(await suite.ids(streams.logs, below)).toEqual(["minus", "none"]);
    });

    test("dead letters and acts: told twice they count once, over a rollover too", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      const large = deadLetter("large", { original: Buffer.alloc(1_500_000, 7) });
      const piece = (index: number) => deadLetter("parted", { piece: { index, count: 2 } });
      const told = {
        deadLetters: [deadLetter("a"), large, piece(1), piece(0)],
        deadLetterActs: [deadLetterAct("a"), deadLetterAct("a", { act: "discarded" })],
      };
      await writer.write(batchOf([], told));
      const once = await suite.ids(streams.deadLetters);
      await writer.write(batchOf([], told));
      await rollOver(suite.elasticsearch, streams.deadLetters);
      await writer.write(batchOf([], told));
      expect(await suite.ids(streams.deadLetters)).toEqual(once);
      const kinds = { refusal: 3, act: 2, piece: 5 };
      for (const [kind, count] of Object.entries(kinds)) {
        expect(await suite.ids(streams.deadLetters, { term: { kind } })).toHaveLength(count);
      }
    });

    test("the days before today, until they expire", async () => {
      const streams = suite.newStreams();
      const writer = suite.openWriter({ streams });
      await writer.write(batchOf([logRecord("a", { receivedNs: NOON_NS })]));
      await rollOver(suite.elasticsearch, streams.logs);
      await writer.write(batchOf([logRecord("b")]));
      expect(await writer.expire("1970-01-02")).toEqual([]);
      expect(await suite.ids(streams.logs)).toEqual(["a", "b"]);
      expect(await writer.expire("9998-01-01")).toHaveLength(1);
      expect(await suite.ids(streams.logs)).toEqual(["b"]);
    });

    function hundredNames(hundred: number): FixtureAttributes {
      const numbers = Array.from({ length: 100 }, (_, n) => hundred * 100 + n);
      return Object.fromEntries(numbers.map((n) => [`name.${n}`, `value ${n}`]));
    }
  },
  TEST_MS,
);
