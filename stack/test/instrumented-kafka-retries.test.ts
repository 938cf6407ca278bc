import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { runApp } from "../../instrumentation/test/app-process.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { KAFKA_PROGRAM } from "./kafka-program.ts";
import { KafkaTopics } from "./kafka-topics.ts";
import type { QueryApi, ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";

const FIRST_START_MS = 400_000;
const TEST_MS = 120_000;
const INDEXED = { timeout: 30_000, interval: 100 };

describe.skipIf(!requireJava("Kafka in the transaction view"))(
  "Kafka in the transaction view",
  () => {
    const broker = new KafkaBroker();
    let collector: RealCollector;
    let api: QueryApi;
    let topics: KafkaTopics;
    beforeAll(async () => {
      await broker.start();
      topics = new KafkaTopics(broker.brokers);
      collector = await RealCollector.start();
      api = collector.api;
    }, FIRST_START_MS);
    afterAll(async () => {
      await collector?.stop();
      await broker.stop();
    });

    async function run(service: string, code: string, env: Record<string, string>) {
      const end = await runApp({
        code: KAFKA_PROGRAM + code,
        endpoint: collector.otlpUrl,
        env: {
          ...{ BROKERS: broker.brokers.join(), OTEL_SERVICE_NAME: service },
          ...{ CLEW_SPOOL_DIR: "off", CLEW_METRICS_PORT: "off", ...env },
        },
      });
      expect(end).toMatchObject({ code: 0, signal: null });
      return end.stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
    }

    /** The transaction's spans of one kind, oldest first, once as many as expected are stored. */
    async function spansOf(
      id: string,
      kind: string,
      count: number,
    ): Promise<readonly ReadRecord[]> {
      let found: readonly ReadRecord[] = [];
      await vi.waitFor(async () => {
        found = (await api.recordsOf(id)).filter((record) => record.span?.kind === kind);
        expect(found).toHaveLength(count);
      }, INDEXED);
      return found;
    }

    test(
      "retry and dead-letter topics keep the ID and count attempts",
      async () => {
        const main = await topics.create("orders");
        const env = { MAIN: main, RETRY: `${main}.retry.5s`, DEAD: `${main}-dead-letters` };
        await topics.createNamed(env.RETRY);
        await topics.createNamed(env.DEAD);
        await run(
          "orders",
          `
      const producer = await openProducer();
      await transaction.run("T-retried", () => producer.send({ topic: env.MAIN, messages: [
        { key: "k", value: "card", headers: { tenant: "t1" } }] }));
      await producer.disconnect();
      `,
          env,
        );
        // The first handler copies the headers, as most do; the second one forgets them.
        const told = await run(
          "payments",
          `
      const producer = await openProducer();
      const resend = (topic, message) => producer.send({ topic, messages: [message] });
      await work([env.MAIN, env.RETRY, env.DEAD], ({ done }) => ({
        eachMessage: async ({ topic, message }) => {
          const { key, value, headers } = message;
          print([topic === env.MAIN ? "main" : topic === env.RETRY ? "retry" : "dead",
            transaction.id(), String(headers["clew-delivery-attempt"] ?? "none")]);
          if (topic === env.MAIN) await resend(env.RETRY, { key, value, headers });
          else if (topic === env.RETRY) await resend(env.DEAD, { key, value: String(value) });
          else done();
        },
      }));
      await producer.disconnect();
      `,
          env,
        );
        expect(told).toEqual([
          ["main", "T-retried", "none"],
          ["retry", "T-retried", "2"],
          ["dead", "T-retried", "3"],
        ]);
        const [dead] = await topics.read(env.DEAD, 1);
        expect(dead?.headers["x-transaction-id"]).toBe("T-retried");
        const consumed = await spansOf("T-retried", "consumer", 3);
        expect(consumed.map(({ attributes }) => attributes["clew.delivery.attempt"])).toEqual([
          undefined,
          2,
          3,
        ]);
        const view = await api.findTransaction("T-retried");
        expect(view?.hops).toMatchObject([
          { kind: "messaging", from: "orders", to: "payments", operation: `process ${main}` },
          {
            kind: "messaging",
            from: "payments",
            to: "payments",
            operation: `process ${env.RETRY}`,
          },
          { kind: "messaging", from: "payments", to: "payments", operation: `process ${env.DEAD}` },
        ]);
        // Each hop was made within the one before: a copied traceparent would make them siblings.
        expect(view?.hops.map(({ parentId }) => parentId)).toEqual([null, "1", "2"]);
        for (const hop of view?.hops ?? []) expect(hop.waitMs).toBeGreaterThanOrEqual(0);
      },
      TEST_MS,
    );

    test(
      "eachBatch without withMessage: retryOf keeps the ID and counts",
      async () => {
        const topic = await topics.create("batch");
        const retry = await topics.create("anything");
        await topics.send(topic, [
          { value: "a", headers: { "X-Transaction-ID": "T-a" } },
          { value: "b", headers: { "X-Transaction-ID": "T-b", "clew-delivery-attempt": "7" } },
        ]);
        await run(
          "batch",
          `
      const producer = await openProducer();
      await work([env.TOPIC], ({ done }) => ({ eachBatch: async ({ batch }) => {
        await producer.send({ topic: env.RETRY, messages: batch.messages.map((message) =>
          retryOf(message, { value: message.value, headers: { own: "1" } })) });
        done();
      } }));
      await producer.disconnect();
      `,
          { TOPIC: topic, RETRY: retry },
        );
        expect(await topics.read(retry, 2)).toMatchObject([
          { headers: { own: "1", "x-transaction-id": "T-a", "clew-delivery-attempt": "2" } },
          { headers: { own: "1", "x-transaction-id": "T-b", "clew-delivery-attempt": "8" } },
        ]);
      },
      TEST_MS,
    );

    test(
      "a fan-in message lists the transactions it came from",
      async () => {
        const [lines, invoices] = [await topics.create("lines"), await topics.create("invoices")];
        const env = { LINES: lines, INVOICES: invoices };
        const sources = ["T-line-0", "T-line-1", "T-line-2"];
        const told = await run(
          "billing",
          `
      const producer = await openProducer();
      for (const id of ["T-line-0", "T-line-1", "T-line-2"]) {
        const messages = [{ value: id }];
        await transaction.run(id, () => producer.send({ topic: env.LINES, messages }));
      }
      await work([env.LINES], ({ done }) => ({ eachBatch: async ({ batch }) => {
        await withMessages(batch.messages, async () => {
          print(transaction.id());
          await producer.send({ topic: env.INVOICES, messages: [{ value: "invoice" }] });
        });
        done();
      } }));
      await work([env.INVOICES], ({ done }) => ({ eachMessage: async () => {
        print(transaction.id());
        done();
      } }));
      await producer.disconnect();
      `,
          env,
        );
        const [merged] = told;
        expect(sources).not.toContain(merged);
        expect(told).toEqual([merged, merged]);
        const [invoice] = await topics.read(invoices, 1);
        expect(invoice?.headers["clew-transaction-sources"]).toBe(sources.join());
        const [produced] = await spansOf(merged, "producer", 1);
        expect(produced?.attributes["clew.transaction.sources"]).toEqual(sources);
        expect(produced?.span?.links).toHaveLength(sources.length);
        const consumed = await spansOf(merged, "consumer", 2);
        expect(consumed.map(({ attributes }) => attributes["clew.transaction.sources"])).toEqual([
          sources,
          sources,
        ]);
        expect(consumed[0]?.attributes["clew.transaction.start"]).toBe(true);
      },
      TEST_MS,
    );
  },
);
