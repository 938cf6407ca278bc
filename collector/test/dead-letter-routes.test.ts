import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ClewError } from "../src/errors.ts";
import type { ActAnswer } from "../src/query/dead-letters/dead-letter-acts.ts";
import type { GroupView, LetterDetail, LetterView } from "../src/query/dead-letters/letter-view.ts";
import type { StoredRecord } from "../src/record.ts";
import { LettersHarness, nowNs } from "./letters-harness.ts";
import { logsRequest } from "./otlp-fixtures.ts";

const UID = "log.record.uid";
const GARBAGE = Buffer.from("this is no protobuf");
const AWAY = new ClewError("BUS_UNAVAILABLE", "cannot publish: the bus is away");

let clew: LettersHarness;
beforeEach(async () => {
  clew = await LettersHarness.open();
});
afterEach(() => clew.stop());

/** A record that the store of the harness finds too large. */
function large(uid: string, transaction = "order-1"): Buffer {
  return request(uid, "L".repeat(5000), transaction);
}

function request(uid: string, body: string, transaction = "order-1"): Buffer {
  const attributes = { [UID]: uid, transaction_id: transaction };
  const resource = { "service.name": "orders" };
  return logsRequest([{ resource, scope: "test", records: [{ body, attributes }] }]);
}

async function json<T>(answer: Promise<Response>, status = 200): Promise<T> {
  const response = await answer;
  const text = await response.text();
  expect(response.status, text).toBe(status);
  return JSON.parse(text) as T;
}

const list = (query = "") =>
  json<{ deadLetters: LetterView[]; cursor: string | null }>(clew.get(`/dead-letters${query}`));
const show = (id: string) =>
  json<LetterDetail>(clew.get(`/dead-letters/${encodeURIComponent(id)}`));
const replay = (body: unknown) => json<ActAnswer>(clew.post("/dead-letters/replay", body));
const discard = (body: unknown) => json<ActAnswer>(clew.post("/dead-letters/discard", body));

async function logs(query: string): Promise<readonly StoredRecord[]> {
  const page = await clew.reader.searchLogs({ query, limit: 100, order: "newest" });
  return page.items;
}

describe("looking", () => {
  it("lists, groups and shows what was refused, and why", async () => {
    await clew.publish("logs", large("run-1"));
    await clew.publish("logs", large("run-2", "order-2"));
    await clew.publish("logs", GARBAGE, { requestId: "garbage" });
    const { deadLetters, cursor } = await list();
    expect(cursor).toBeNull();
    expect(deadLetters.map(({ id }) => id)).toEqual(["garbage-0", "run-2", "run-1"]);
    expect(deadLetters[2]).toMatchObject({
      ...{ state: "open", reason: "refused", status: null, service: "orders", topic: "logs" },
      ...{ transactionId: "order-1", refusals: 1, isWhole: true, acts: [] },
      detail: expect.stringContaining("the store takes records up to 4096"),
    });
    const found = await list("?transaction=order-2&state=open&service=orders&reason=refused");
    expect(found.deadLetters.map(({ id }) => id)).toEqual(["run-2"]);
    const { groups } = await json<{ groups: GroupView[] }>(clew.get("/dead-letters?group=reason"));
    expect(groups.map(({ reason, count }) => [reason, count])).toEqual([
      ["refused", 2],
      ["undecodable", 1],
    ]);
    const first = await list("?limit=2");
    const rest = await list(`?limit=2&cursor=${first.cursor}`);
    expect([...first.deadLetters, ...rest.deadLetters]).toEqual(deadLetters);
  });

  it("shows the original for a person, or its bytes where it is nothing one can read", async () => {
    await clew.publish("logs", large("run-1"));
    await clew.publish("logs", GARBAGE, { requestId: "garbage" });
    const told = await show("run-1");
    expect(JSON.stringify(told.original.json)).toContain('"stringValue":"orders"');
    expect(told.original).toMatchObject({ base64: null, problem: null });
    const { original } = await show("garbage-0");
    expect(original).toMatchObject({ bytes: GARBAGE.length, json: null });
    expect(original.base64).toBe(GARBAGE.toString("base64"));
    expect(original.problem).toContain("cannot read");
    const raw = await clew.get("/dead-letters/garbage-0/original");
    expect(Buffer.from(await raw.arrayBuffer()).equals(GARBAGE)).toBe(true);
  });

  it.each([
    ["/dead-letters/nobody", 404],
    ["/dead-letters/nobody/original", 404],
    ["/dead-letters?state=lost", 400],
    ["/dead-letters?colour=red", 400],
    ["/dead-letters?group=service", 400],
    ["/dead-letters?cursor=nonsense", 400],
    ["/dead-letters/a/b/c", 404],
  ])("answers %s with %i", async (path, status) => {
    expect((await clew.get(path)).status).toBe(status);
  });
});

describe("replaying", () => {
  it("stores a record once, however often it is sent again, under its own id", async () => {
    // Received, by its own account, when no store has a day: once replayed it was received now.
    const headers = { receivedNs: 2n ** 63n };
    await clew.publish("logs", request("run-1", "a small one"), headers);
    expect(await logs("small")).toEqual([]);
    const answer = await replay({ ids: ["run-1"], reason: "the clock was wrong" });
    expect(answer).toMatchObject({ results: [{ id: "run-1", result: "done" }], cursor: null });
    await replay({ ids: ["run-1", "run-1"] });
    expect((await logs("a small one")).map(({ id }) => id)).toEqual(["run-1"]);
    const letter = await show("run-1");
    expect(letter.state).toBe("replayed");
    expect(letter.acts.map(({ act, actor, reason }) => [act, actor, reason])).toEqual([
      ["replayed", "anonymous", "the clock was wrong"],
      ["replayed", "anonymous", ""],
    ]);
    expect(await clew.reader.findTransaction("order-1")).toMatchObject({ logs: 1, deadLetters: 0 });
  });

  it("fixes the id that a record without one got at receipt", async () => {
    const value = logsRequest([{ resource: {}, scope: "test", records: [{ body: "nameless" }] }]);
    await clew.publish("logs", value, { requestId: "minted", part: 3, receivedNs: 2n ** 63n });
    await replay({ ids: ["minted-3-0"] });
    await replay({ ids: ["minted-3-0"] });
    expect((await logs("nameless")).map(({ id }) => id)).toEqual(["minted-3-0"]);
    expect(clew.sent[0]?.headers).toMatchObject({ repeat: true, recordId: "minted-3-0" });
  });

  it("is open again where it is refused again, with both refusals counted", async () => {
    await clew.publish("logs", large("run-1"));
    await replay({ ids: ["run-1"] });
    expect(await show("run-1")).toMatchObject({ state: "open", refusals: 2 });
    await clew.publish("logs", GARBAGE, { requestId: "garbage", part: 2 });
    await replay({ ids: ["garbage-2"] });
    expect(await show("garbage-2")).toMatchObject({ state: "open", refusals: 2 });
    expect((await list("?reason=undecodable")).deadLetters).toHaveLength(1);
  });

  it("sends what was edited in its place, and keeps the original beside it", async () => {
    await clew.publish("logs", large("run-1"));
    const { original } = await show("run-1");
    const edited = JSON.parse(JSON.stringify(original.json).replace(/L{5000}/, "short now"));
    const answer = await replay({ id: "run-1", edited, reason: "cut" });
    expect(answer.counts).toMatchObject({ done: 1 });
    expect((await logs("short now")).map(({ id }) => id)).toEqual(["run-1"]);
    const letter = await show("run-1");
    expect(letter).toMatchObject({ state: "edited", refusals: 1, original });
    expect(letter.acts[0]?.edited?.json).toEqual(edited);
  });

  it("takes what was edited as protobuf too, for a message that nobody could read", async () => {
    await clew.publish("logs", GARBAGE, { requestId: "garbage", part: 1 });
    const records = [{ body: "mended one" }, { body: "mended two" }];
    const edited = logsRequest([{ resource: {}, scope: "test", records }]).toString("base64");
    await replay({ id: "garbage-1", edited });
    await replay({ id: "garbage-1", edited });
    expect((await logs("mended")).map(({ id }) => id).toSorted()).toEqual([
      "garbage-1-0",
      "garbage-1-1",
    ]);
  });

  it.each<[string, unknown, string]>([
    ["no request at all", { name: "nobody" }, "holds no record"],
    [
      "two records for one",
      { resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }] }] },
      "holds 2",
    ],
    ["no base64", "-", "no base64"],
    ["no protobuf", GARBAGE.toString("base64"), "cannot read"],
    ["a wrong type", { resourceLogs: 7 }, "resourceLogs"],
  ])("refuses %s in its place", async (_name, edited, why) => {
    await clew.publish("logs", large("run-1"));
    const { results } = await replay({ id: "run-1", edited });
    expect(results).toMatchObject([{ result: "refused", detail: expect.stringContaining(why) }]);
    expect((await show("run-1")).state).toBe("open");
  });

  it("says of each letter why it cannot be sent, and sends the others", async () => {
    await clew.publish("logs", large("run-1"));
    await clew.publish("metrics", Buffer.alloc(0), { requestId: "metric" });
    clew.maxMessageBytes = 4500;
    const { results, counts } = await replay({ ids: ["metric-0", "nobody", "run-1"] });
    expect(results.map(({ result, detail }) => [result, detail])).toEqual([
      ["refused", expect.stringContaining("keeps no metrics")],
      ["not-found", expect.stringContaining("no dead letter has this id")],
      ["refused", expect.stringContaining("the bus takes 4500")],
    ]);
    expect(counts).toMatchObject({ done: 0, refused: 2, "not-found": 1 });
  });
});

describe("by a filter", () => {
  const ids = Array.from({ length: 7 }, (_, i) => `run-${i}`);

  it("acts upon open letters alone, in pages that go on", async () => {
    for (const id of ids) await clew.publish("logs", large(id, id));
    await discard({ ids: ["run-3"], reason: "a test's" });
    const filter = { service: "orders" };
    const tried = await discard({ filter, limit: 100, reason: "dry", dryRun: true });
    expect(tried).toMatchObject({ dryRun: true, counts: { possible: 6, done: 0 } });
    const done: string[] = [];
    let cursor: string | null = null;
    do {
      const asked = cursor === null ? filter : { ...filter, cursor };
      const answer: ActAnswer = await discard({ filter: asked, limit: 4, reason: "all tests'" });
      done.push(...answer.results.map(({ id }) => id));
      cursor = answer.cursor;
    } while (cursor !== null);
    expect(done.toSorted()).toEqual(ids.filter((id) => id !== "run-3"));
    expect((await list("?state=discarded")).deadLetters).toHaveLength(7);
    expect((await list("?state=open")).deadLetters).toEqual([]);
    const told = await discard({ ids: ["run-3"], reason: "again" });
    expect(told.results[0]).toMatchObject({ result: "refused" });
  });
});

describe("the record of what was done", () => {
  it("says who did what with which letters, how it ended, outside the transaction", async () => {
    clew.config = { ...clew.config, adminTokens: [{ name: "anna", token: "secret-of-anna" }] };
    await clew.publish("logs", large("run-1"));
    await clew.publish("logs", large("run-2"));
    const body = { ids: ["run-1", "run-2", "nobody"], reason: "they are tests" };
    await clew.post("/dead-letters/discard", body, { token: "secret-of-anna" });
    const found = await logs("dead letters order-1");
    expect(found).toHaveLength(1);
    expect(found[0]).toMatchObject({
      ...{ service: "clew", severityText: "INFO", transactionId: null },
      attributes: {
        "event.name": "clew.dead_letter.discarded",
        "clew.actor": "anna",
        "clew.dead_letter.act_reason": "they are tests",
        "clew.dead_letter.ids": ["run-1", "run-2"],
        "clew.dead_letter.count": 2,
        "clew.dead_letter.result": "done",
        "clew.dead_letter.transaction_id": "order-1",
      },
    });
    const [failed] = await logs("nobody");
    expect(failed).toMatchObject({ severityText: "WARN" });
    expect(failed?.attributes["clew.dead_letter.result"]).toBe("not-found");
    expect(await clew.reader.findTransaction("order-1")).toMatchObject({ logs: 0 });
  });

  it("is not written of a dry run, which changes nothing", async () => {
    await clew.publish("logs", large("run-1"));
    const { results } = await replay({ ids: ["run-1"], dryRun: true });
    expect(results[0]).toMatchObject({
      result: "possible",
      detail: expect.stringContaining("logs"),
    });
    expect(clew.sent).toEqual([]);
    expect((await show("run-1")).acts).toEqual([]);
  });
});

describe("while the bus is away", () => {
  it("says what was not sent, does not try the rest, and can be asked again", async () => {
    const ids = Array.from({ length: 60 }, (_, i) => `run-${i}`);
    for (const id of ids) await clew.publish("logs", large(id));
    let asked = 0;
    clew.publishFault = () => (asked++ < 1000 ? AWAY : undefined);
    const answer = await replay({ ids });
    expect(answer.counts).toMatchObject({ done: 0, failed: 60 });
    expect(answer.results[0]?.detail).toBe(AWAY.message);
    expect(answer.results[59]?.detail).toContain("not tried");
    expect(asked).toBeLessThan(60);
    clew.publishFault = () => undefined;
    expect((await discard({ ids, reason: "x" })).counts.done).toBe(60);
  });

  it("does not tell as done what it could not keep", async () => {
    await clew.publish("logs", request("run-1", "small"), { receivedNs: nowNs() * 10n });
    clew.publishFault = ({ topic }) => (topic === "dead-letters" ? AWAY : undefined);
    const answer = await replay({ ids: ["run-1"] });
    expect(answer.results).toMatchObject([
      { result: "failed", detail: expect.stringContaining("could not be kept") },
    ]);
    clew.publishFault = () => undefined;
    expect((await replay({ ids: ["run-1"] })).counts.done).toBe(1);
    expect(await logs("small")).toHaveLength(2 - 1);
  });
});
