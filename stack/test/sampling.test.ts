import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createIdSampler } from "../../instrumentation/src/tracing/transaction-sampler.ts";
import { App } from "../../instrumentation/test/app-process.ts";
import type { ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";

const RATIO = 0.3;
const REQUESTS = 40;
const INDEXED = { timeout: 30_000, interval: 100 };
const SPANS_PER_REQUEST = 3;

/** Answers what its path says; a service of its own, as the next one is. */
const BACK = `
  import http from "node:http";
  const server = http.createServer((req, res) => {
    console.info("back");
    res.statusCode = req.url === "/fail" ? 500 : 200;
    res.end();
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.resume().on("end", () => process.exit(0));
`;

const FRONT = `
  import http from "node:http";
  import { trace } from "@opentelemetry/api";
  const server = http.createServer(async (req, res) => {
    trace.getActiveSpan().setAttribute("own", "kept?");
    console.info("front");
    await (await fetch("http://127.0.0.1:" + process.env.BACK_PORT + req.url)).arrayBuffer();
    if (req.url === "/log") console.error(new Error("said aloud"));
    res.end();
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
  process.stdin.resume().on("end", () => process.exit(0));
`;

describe("sampling", () => {
  let collector: RealCollector;
  beforeAll(async () => {
    collector = await RealCollector.start();
  });
  afterAll(() => collector?.stop());

  /** Both services answer one request per ID, then end. */
  async function serve(of: {
    sampler: string;
    requests: readonly { id: string; path: string }[];
  }): Promise<void> {
    const env = {
      OTEL_TRACES_SAMPLER: of.sampler,
      OTEL_TRACES_SAMPLER_ARG: String(RATIO),
      CLEW_SPOOL_DIR: "off",
      CLEW_METRICS_PORT: "off",
    };
    const endpoint = collector.otlpUrl;
    const start = (name: string, code: string, more: Record<string, string>) =>
      new App({ code, endpoint, env: { ...env, OTEL_SERVICE_NAME: name, ...more } });
    const back = start("back", BACK, {});
    const backPort = await back.nextJson<number>();
    const front = start("front", FRONT, { BACK_PORT: String(backPort) });
    const frontPort = await front.nextJson<number>();
    for (const { id, path } of of.requests) {
      const response = await fetch(`http://127.0.0.1:${frontPort}${path}`, {
        headers: { "x-transaction-id": id },
        signal: AbortSignal.timeout(INDEXED.timeout),
      });
      await response.arrayBuffer();
      expect(response.headers.get("x-transaction-id")).toBe(id);
    }
    // What is held has to leave, however a process ends.
    front.child.stdin?.end();
    expect(await front.ended).toMatchObject({ code: 0 });
    back.child.kill("SIGTERM");
    expect(await back.ended).toMatchObject({ signal: "SIGTERM" });
  }

  async function spansOf(id: string): Promise<readonly ReadRecord[]> {
    let spans: readonly ReadRecord[] = [];
    await vi.waitFor(async () => {
      spans = (await collector.api.recordsOf(id)).filter(({ kind }) => kind === "span");
      expect(spans).toHaveLength(SPANS_PER_REQUEST);
    }, INDEXED);
    return spans;
  }

  test("by transaction: both services keep the same ones, and no span is missing", async () => {
    const ids = Array.from({ length: REQUESTS }, (_, index) => `T-by-id-${index}`);
    const isKept = createIdSampler(RATIO);
    expect(new Set(ids.map(isKept)).size).toBe(2);
    await serve({ sampler: "transaction_ratio", requests: ids.map((id) => ({ id, path: "/ok" })) });
    const sequences = new Map<unknown, number[]>();
    for (const id of ids) {
      const spans = await spansOf(id);
      expect(spans.map((span) => isSummary(span))).toEqual(spans.map(() => !isKept(id)));
      for (const { resource, attributes } of spans) {
        const run = resource["clew.run.id"];
        const known = sequences.get(run) ?? [];
        sequences.set(run, [...known, Number(attributes["clew.span.sequence"])]);
      }
    }
    expect(sequences.size).toBe(2);
    for (const numbers of sequences.values()) {
      expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, index) => index + 1));
    }
  });

  test("a summary still makes the hops, and counts the log lines", async () => {
    const id = skippedId("hops");
    await serve({ sampler: "transaction_ratio", requests: [{ id, path: "/ok" }] });
    const spans = await spansOf(id);
    expect(spans.every(isSummary)).toBe(true);
    expect(spans.map(({ attributes }) => attributes.own)).toEqual(spans.map(() => undefined));
    const view = await collector.api.findTransaction(id);
    expect(view?.counts).toMatchObject({ spans: SPANS_PER_REQUEST, logs: 2 });
    expect(view?.hops).toMatchObject([
      { from: null, to: "front", kind: "http", operation: "GET /ok", status: "ok" },
      { from: "front", to: "back", kind: "http", operation: "GET /ok", answered: true },
    ]);
    const counted = spans.map(({ attributes }) => attributes["clew.span.logs"]);
    expect(counted.toSorted()).toEqual([0, 1, 1]);
  });

  test.each([
    ["an error log line", "/log", { front: false, back: true }],
    ["an answer of 500", "/fail", { front: false, back: false }],
    ["nothing", "/ok", { front: true, back: true }],
  ])("%s keeps what its process still holds", async (_name, path, want) => {
    const id = skippedId(path.slice(1));
    await serve({ sampler: "transaction_ratio", requests: [{ id, path }] });
    for (const span of await spansOf(id)) {
      const service = span.service === "front" ? "front" : "back";
      expect([span.service, isSummary(span)]).toEqual([service, want[service]]);
      if (span.service === "front" && span.span?.kind === "server") {
        expect(span.attributes.own).toBe(want.front ? undefined : "kept?");
      }
    }
  });

  test.each(["always_off", "parentbased_always_off"])(
    "%s leaves summaries only",
    async (sampler) => {
      const id = skippedId(sampler);
      await serve({ sampler, requests: [{ id, path: "/fail" }] });
      const spans = await spansOf(id);
      expect(spans.every(isSummary)).toBe(true);
      const view = await collector.api.findTransaction(id);
      expect(view?.hops).toHaveLength(2);
      expect(view?.hops[1]).toMatchObject({ from: "front", to: "back", status: "error" });
    },
  );
});

function isSummary({ attributes }: ReadRecord): boolean {
  return attributes["clew.span.summary"] === true;
}

/** An ID that the ratio does not keep. */
function skippedId(name: string): string {
  const isKept = createIdSampler(RATIO);
  for (let i = 0; ; i++) {
    const id = `T-${name}-${i}`;
    if (!isKept(id)) return id;
  }
}
