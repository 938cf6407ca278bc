import { expect, test } from "vitest";
import { transaction } from "../transaction/transaction.ts";
import { instrumentKafka } from "./instrument-kafka.ts";
import { withMessage } from "./with-message.ts";

/**
 * A stand-in that records what it is called with, for what needs no broker: copies of headers,
 * contexts of handlers, errors that pass. What a broker does with it is shown with a real one.
 */
function standIn() {
  const sent: Record<string, unknown>[] = [];
  let handlers: Record<string, (payload: unknown) => unknown> = {};
  const sender = {
    send: async (input: Record<string, unknown>) => {
      sent.push(input);
      if (input.topic === "broken") throw new RangeError("no leader");
      return ["metadata"];
    },
    sendBatch: async (input: Record<string, unknown>) => {
      sent.push(input);
      return ["metadata"];
    },
  };
  const kafka = {
    producer: () => ({
      ...sender,
      transaction: async () => ({ ...sender, commit: async () => "committed" }),
    }),
    consumer: (_options: object) => ({
      run: async (config: typeof handlers) => {
        handlers = config;
      },
    }),
  };
  return { kafka, sent, call: (name: string, payload: unknown) => handlers[name]?.(payload) };
}

const headersOf = (input: Record<string, unknown> = {}, index = 0) =>
  (input.messages as { headers: Record<string, string> }[])[index]?.headers;

test("send: IDs in a copy of the headers, the user's own as they were", async () => {
  const { kafka, sent } = standIn();
  expect(instrumentKafka(kafka)).toBe(kafka);
  instrumentKafka(kafka);
  const own = { "X-Transaction-Id": "mine", other: new Uint8Array([1]) };
  const input = {
    topic: "jobs",
    acks: -1,
    messages: [{ value: "a" }, { value: "b", headers: own }],
  };
  const before = structuredClone(input);
  const result = await transaction.run("T-1", () => kafka.producer().send(input));
  expect(result).toEqual(["metadata"]);
  expect(input).toEqual(before);
  expect(sent).toHaveLength(1);
  expect(sent[0]).toMatchObject({
    topic: "jobs",
    acks: -1,
    messages: [{ value: "a" }, { value: "b" }],
  });
  expect(headersOf(sent[0])).toEqual({
    "x-transaction-id": "T-1",
    baggage: "clew.transaction.id=T-1",
  });
  expect(headersOf(sent[0], 1)).toEqual({ ...own, baggage: "clew.transaction.id=mine" });
});

test("sendBatch and the producer of a Kafka transaction do the same", async () => {
  const { kafka, sent } = standIn();
  const producer = instrumentKafka(kafka).producer();
  await transaction.run("T-2", async () => {
    const topicMessages = [
      { topic: "a", messages: [{ value: "1" }] },
      { topic: "b", messages: [{ value: "2" }] },
    ];
    await producer.sendBatch({ topicMessages });
    const open = await producer.transaction();
    await open.send({ topic: "c", messages: [{ value: "3" }] });
    expect(await open.commit()).toBe("committed");
  });
  const batches = sent[0]?.topicMessages as Record<string, unknown>[];
  expect(batches.map((batch) => headersOf(batch)?.["x-transaction-id"])).toEqual(["T-2", "T-2"]);
  expect(headersOf(sent[1])?.["x-transaction-id"]).toBe("T-2");
});

test("outside of a transaction one message begins one; several are left alone", async () => {
  const { kafka, sent } = standIn();
  const producer = instrumentKafka(kafka).producer();
  await producer.send({ topic: "a", messages: [{ value: "1" }] });
  await producer.send({ topic: "a", messages: [{ value: "1" }, { value: "2" }] });
  expect(headersOf(sent[0])?.["x-transaction-id"]).toHaveLength(36);
  expect(headersOf(sent[1])).toEqual({});
});

test("what the client is given wrongly, and what it throws, passes unchanged", async () => {
  const { kafka, sent } = standIn();
  const producer = instrumentKafka(kafka).producer();
  await producer.send({ nonsense: true });
  expect(sent).toEqual([{ nonsense: true }]);
  const broken = { topic: "broken", messages: [{ value: "1" }] };
  await expect(producer.send(broken)).rejects.toThrow(new RangeError("no leader"));
});

const message = (headers: Record<string, string | Uint8Array>) => ({
  headers,
  timestamp: String(Date.now() - 1000),
  offset: "42",
  value: Buffer.from("v"),
});

test("eachMessage runs in its message's context; results and errors pass", async () => {
  const { kafka, call } = standIn();
  const seen: unknown[] = [];
  await instrumentKafka(kafka)
    .consumer({ groupId: "g" })
    .run({
      eachMessage: async (payload) => {
        await null;
        seen.push(transaction.id());
        if ((payload as { fail?: boolean } | undefined)?.fail === true)
          throw new RangeError("mine");
      },
    });
  const payload = { topic: "jobs", partition: 0 };
  const id = { "X-Transaction-ID": Buffer.from("T-3") };
  await call("eachMessage", { ...payload, message: message(id) });
  await call("eachMessage", { ...payload, message: message({}) });
  await call("eachMessage", { ...payload, message: { value: null } });
  const failing = call("eachMessage", { ...payload, message: message(id), fail: true });
  await expect(failing).rejects.toThrow(new RangeError("mine"));
  await call("eachMessage", undefined);
  expect(seen.slice(0, 3)).toEqual(["T-3", expect.any(String), expect.any(String)]);
  expect(seen[1]).toHaveLength(36);
  expect(seen[3]).toBe("T-3");
  expect(transaction.id()).toBeUndefined();
});

test("eachBatch belongs to no transaction; withMessage gives each message its own", async () => {
  const { kafka, call } = standIn();
  const seen: unknown[] = [];
  await instrumentKafka(kafka)
    .consumer({})
    .run({
      eachBatch: async (payload) => {
        const { batch } = payload as { batch: { messages: ReturnType<typeof message>[] } };
        seen.push(transaction.id());
        for (const one of batch.messages) {
          seen.push(withMessage(one, () => transaction.id()));
          seen.push(await withMessage(one, async () => transaction.id()));
        }
        const [first] = batch.messages;
        if (first === undefined) return;
        const throwing = () =>
          withMessage(first, () => {
            throw new RangeError("mine");
          });
        expect(throwing).toThrow(new RangeError("mine"));
      },
    });
  const messages = ["T-4", "T-5"].map((id) => message({ "x-transaction-id": id }));
  await transaction.run("outer", () =>
    call("eachBatch", { batch: { topic: "jobs", partition: 0, messages } }),
  );
  expect(seen).toEqual([undefined, "T-4", "T-4", "T-5", "T-5"]);
});
