import { expect, test } from "vitest";
import {
  ENTRY,
  inputOf,
  SECOND_NS,
  type SpanGiven,
  spanOf,
  THEN_NS,
  TRACE,
} from "../../../../test/verdict-fixture.ts";
import type { StoredRecord } from "../../../record.ts";
import { Evidence } from "../evidence.ts";
import { findUnconsumedMessages } from "./find-unconsumed-messages.ts";

const TO_MAILS = { "messaging.destination.name": "mails" };
const KNOWN = [{ topic: "mails", service: "mailer" }];
const sent = (given: Partial<SpanGiven> = {}) =>
  spanOf({ ...{ id: "p", parent: "e", kind: "producer" }, attributes: TO_MAILS, ...given });
const batch = (messages: number, more = {}) =>
  sent({ attributes: { ...TO_MAILS, "messaging.batch.message_count": messages, ...more } });
const taken = (offset: number, given: Partial<SpanGiven> = {}) =>
  spanOf({
    ...{ id: `c${offset}`, parent: "p", kind: "consumer", service: "mailer" },
    attributes: { ...TO_MAILS, "messaging.kafka.offset": offset },
    ...given,
  });
const again = { ...taken(1), spanId: "again" };
const merging = (messages: number, links = 1) =>
  spanOf({
    ...{ id: "m", kind: "consumer", service: "mailer" },
    links: Array.from({ length: links }, () => ({ traceId: TRACE, spanId: "p", attributes: {} })),
    attributes: { ...TO_MAILS, "messaging.batch.message_count": messages },
  });
const MERGED_BY_OTHERS = merging(9, 128);

test.each<[string, StoredRecord[], typeof KNOWN, string[]]>([
  ["taken", [sent(), taken(1)], KNOWN, []],
  ["taken, of a topic nobody was known to work on", [sent(), taken(1)], [], []],
  ["not taken by a service that works on the topic", [sent()], KNOWN, ["missing 1"]],
  ["nobody is known to work on the topic", [sent()], [], ["doubt 1"]],
  [
    "taken by one service of two",
    [sent(), taken(1)],
    [...KNOWN, { topic: "mails", service: "x" }],
    ["missing 1"],
  ],
  ["each of a batch", [batch(2), taken(1), taken(2)], KNOWN, []],
  ["one of a batch is not", [batch(2), taken(1)], KNOWN, ["missing 1"]],
  ["one delivered twice is one", [batch(2), taken(1), again], KNOWN, ["missing 1"]],
  ["worked on at once", [batch(3), merging(3)], KNOWN, []],
  ["some worked on at once", [batch(3), merging(2)], KNOWN, ["missing 1"]],
  ["to several topics, all taken", [sent({ attributes: {} }), taken(1)], [], []],
  ["sending failed", [sent({ status: "error" })], KNOWN, ["doubt 1"]],
  ["sending seemed to fail", [sent({ status: "error" }), taken(1)], KNOWN, []],
  ["of a service that reports nothing", [sent({ runId: "" })], KNOWN, []],
])("%s", (_, spans, topicConsumers, want) => {
  const input = inputOf({ spans: [ENTRY, ...spans], topicConsumers });
  const found = findUnconsumedMessages(new Evidence(input));
  expect(found.map(({ level, count }) => `${level} ${count}`)).toEqual(want);
});

test("merged into another transaction, by as many senders as a span can name", () => {
  const find = (others: StoredRecord[]) =>
    findUnconsumedMessages(
      new Evidence(inputOf({ spans: [ENTRY, sent()], topicConsumers: KNOWN, others })),
    ).map(({ level }) => level);
  expect(find([])).toEqual(["missing"]);
  expect(find([merging(3)])).toEqual([]);
  const unnamed = {
    ...MERGED_BY_OTHERS.span,
    links: MERGED_BY_OTHERS.span?.links.map((link) => ({ ...link, spanId: "x" })),
  };
  expect(find([{ ...MERGED_BY_OTHERS, span: unnamed } as StoredRecord])).toEqual(["doubt"]);
});

test("it may wait in its queue for a moment", () => {
  const nowNs = THEN_NS + 20n * SECOND_NS;
  const input = inputOf({ spans: [ENTRY, sent()], topicConsumers: KNOWN, nowNs });
  const [found] = findUnconsumedMessages(new Evidence(input));
  expect(found).toMatchObject({ level: "waiting", service: "mailer", what: "message" });
  expect(found?.text).toBe(
    "the message sent to mails by orders (run run-of-o) at 12:00:01.000 UTC: " +
      "mailer has not consumed it",
  );
});
