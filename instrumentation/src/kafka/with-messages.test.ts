import { expect, test } from "vitest";
import { transaction } from "../transaction/transaction.ts";
import { instrumentKafka } from "./instrument-kafka.ts";
import { withMessage } from "./with-message.ts";
import { withMessages } from "./with-messages.ts";

const from = (id: string) => ({ headers: { "x-transaction-id": id }, value: Buffer.from(id) });

/** What a message sent in here carries. */
async function carried(): Promise<Record<string, string>> {
  const sent: { messages: { headers: Record<string, string> }[] }[] = [];
  const kafka = {
    producer: () => ({ send: async (input: (typeof sent)[number]) => sent.push(input) }),
  };
  const producer = instrumentKafka(kafka).producer();
  await producer.send({ messages: [{ headers: {} }], ...{ topic: "invoices" } });
  return sent[0]?.messages[0]?.headers ?? {};
}

test("messages of several transactions get a new one, and what is sent names them", async () => {
  const messages = [from("T-1"), from("T-2"), from("T-1"), { value: null }, from("bad id!")];
  const [id, headers] = await withMessages(messages, async () => {
    return [transaction.id(), await carried()] as const;
  });
  expect(id).toHaveLength(36);
  expect(headers).toMatchObject({
    "x-transaction-id": id,
    "clew-transaction-sources": "T-1,T-2",
  });
});

test("messages of one transaction stay in it, and have no sources", async () => {
  const headers = await withMessages([from("T-1"), from("T-1")], carried);
  expect(headers["x-transaction-id"]).toBe("T-1");
  expect(headers["clew-transaction-sources"]).toBeUndefined();
});

test("an opened transaction is the merged one; that of a handler's message is not", () => {
  const both = [from("T-1"), from("T-2")];
  const idInside = () => withMessages(both, () => transaction.id());
  expect(transaction.run("mine", idInside)).toBe("mine");
  expect(withMessage(from("T-2"), idInside)).toHaveLength(36);
  expect(withMessage(from("T-2"), () => transaction.run("mine", idInside))).toBe("mine");
});

test("the list of sources is bounded", async () => {
  const messages = Array.from({ length: 1000 }, (_, index) => from(`T-${index}`));
  const headers = await withMessages(messages, carried);
  expect(headers["clew-transaction-sources"]?.split(",")).toHaveLength(64);
});

test("one message inside has its own context again; errors pass", async () => {
  const first = from("T-1");
  await withMessages([first, from("T-2")], async () => {
    const headers = await withMessage(first, carried);
    expect(headers["x-transaction-id"]).toBe("T-1");
    expect(headers["clew-transaction-sources"]).toBeUndefined();
  });
  const throwing = () =>
    withMessages([first], () => {
      throw new RangeError("mine");
    });
  expect(throwing).toThrow(new RangeError("mine"));
  expect(withMessages([], () => transaction.id())).toHaveLength(36);
});
