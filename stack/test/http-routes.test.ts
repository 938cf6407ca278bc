import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { FRAMEWORK_APPS } from "../../instrumentation/test/http-framework-apps.ts";
import { withServedApp } from "../../instrumentation/test/http-served-app.ts";
import type { ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";

const STORED_DEADLINE_MS = 30_000;

let collector: RealCollector;

beforeAll(async () => {
  collector = await RealCollector.start();
});
afterAll(() => collector.stop());

/** Each framework's routes as the collector has them: a good one, and one that throws. */
const FRAMEWORKS = ["Express 5", "Fastify 5", "Koa", "Hono", "NestJS"];

test.each(FRAMEWORKS)("routes and errors of %s are found in the collector", async (name) => {
  const prefix = name.replace(" ", "-");
  const paths = { [`${prefix}-ok`]: "/tenants/acme/items/7", [`${prefix}-bad`]: "/throw" };
  const code = FRAMEWORK_APPS[name] ?? "";
  await withServedApp({ endpoint: collector.otlpUrl, code }, async (port) => {
    for (const [id, path] of Object.entries(paths)) {
      const headers = { "x-transaction-id": id };
      await (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).text();
    }
  });
  const good = await spanOf(`${prefix}-ok`);
  expect(good.message).toBe("GET /tenants/:tenant/items/:item");
  expect(good.attributes["http.route"]).toBe("/tenants/:tenant/items/:item");
  const bad = await spanOf(`${prefix}-bad`);
  expect(bad.message).toBe("GET /throw");
  expect(bad.attributes["error.type"]).toBe("RangeError");
  const transaction = await collector.api.findTransaction(`${prefix}-bad`);
  expect(transaction?.counts).toMatchObject({ spans: 1, errors: 1 });
});

function spanOf(id: string): Promise<ReadRecord> {
  return vi.waitFor(
    async () => {
      const records = await collector.api.recordsOf(id);
      const [span] = records.filter((record) => record.kind === "span");
      if (span === undefined) throw new Error(`there is no span of ${id} yet`);
      return span;
    },
    { timeout: STORED_DEADLINE_MS, interval: 100 },
  );
}
