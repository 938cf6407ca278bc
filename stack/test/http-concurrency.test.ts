import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { App } from "../../instrumentation/test/app-process.ts";
import {
  askBusyServer,
  BUSY_SERVER,
  LINES_PER_REQUEST,
} from "../../instrumentation/test/http-busy-server.ts";
import { RealCollector } from "./real-collector.ts";

const REQUESTS = 10_000;
/** Of how many transactions every record is looked at. */
const SAMPLED = 200;
const STORED_DEADLINE_MS = 60_000;

let collector: RealCollector;

beforeAll(async () => {
  collector = await RealCollector.start();
});
afterAll(() => collector.stop());

test("10 000 concurrent requests, as the collector has them: no record is another's", async () => {
  const app = new App({ code: BUSY_SERVER, endpoint: collector.otlpUrl });
  const port = await app.nextJson<number>();
  const ids = Array.from({ length: REQUESTS }, (_, index) => `T-${index}`);
  const answers = await askBusyServer(port, ids);
  expect(answers.filter((answer, index) => answer !== `${ids[index]} ${ids[index]}`)).toEqual([]);
  app.child.stdin?.end();
  expect((await app.ended).stderr).toBe("");
  const step = REQUESTS / SAMPLED;
  for (const id of ids.filter((_, index) => index % step === 0)) await expectWhole(id);
  const lines = (await collector.api.logs()).filter((log) => "want" in log.attributes);
  expect(lines.length).toBeGreaterThanOrEqual(REQUESTS * LINES_PER_REQUEST);
  expect(lines.filter((line) => line.transactionId !== line.attributes.want)).toEqual([]);
}, 240_000);

/** Every line of the request and its server span are there, and nothing of another's. */
async function expectWhole(id: string): Promise<void> {
  await vi.waitFor(
    async () => {
      const records = await collector.api.recordsOf(id);
      const lines = records.filter((record) => record.kind === "log");
      const spans = records.filter((record) => record.kind === "span");
      expect(lines.length).toBeGreaterThanOrEqual(LINES_PER_REQUEST);
      expect(spans.length).toBeGreaterThanOrEqual(1);
      expect(lines.filter((line) => line.attributes.want !== id)).toEqual([]);
    },
    { timeout: STORED_DEADLINE_MS, interval: 100 },
  );
}
