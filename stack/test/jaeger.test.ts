import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Jaeger } from "../backends/jaeger.ts";
import { requireGo } from "../backends/otel-collector.ts";
import { RealCollector } from "./real-collector.ts";

const TOKEN = "query-token-1";
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const ALONE = "0af7651916cd43dd8448eb211c80319c";
const WAIT = { timeout: 20_000, interval: 50 };
const START_MS_MAX = 1_900_000;

interface Tag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly startTime: number;
  readonly duration: number;
  readonly references: readonly { refType: string; spanID: string }[];
  readonly tags: readonly Tag[];
  readonly logs: readonly { timestamp: number; fields: readonly Tag[] }[];
  readonly processID: string;
}

interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { serviceName: string; tags: readonly Tag[] }>>;
}

const START_MS = Date.now() - 60_000;

function span(spanId: string, given: object): object {
  const startTimeUnixNano = `${START_MS}000000`;
  const endTimeUnixNano = `${START_MS + 12}250000`;
  return { traceId: TRACE, spanId, startTimeUnixNano, endTimeUnixNano, ...given };
}

function text(key: string, stringValue: string): object {
  return { key, value: { stringValue } };
}

const REQUEST = {
  resourceSpans: [
    {
      resource: { attributes: [text("service.name", "orders"), text("tier", "gold")] },
      scopeSpans: [
        {
          scope: { name: "shop" },
          spans: [
            span("00000000000000a1", {
              name: "POST /orders",
              kind: 2,
              attributes: [
                text("clew.transaction.id", "T-1"),
                { key: "http.response.status_code", value: { intValue: "500" } },
                { key: "share", value: { doubleValue: 0.5 } },
                { key: "flag", value: { boolValue: true } },
              ],
              status: { code: 2, message: "card declined" },
              events: [
                {
                  timeUnixNano: `${START_MS}100000`,
                  name: "exception",
                  attributes: [text("a", "b")],
                },
              ],
            }),
          ],
        },
      ],
    },
    {
      resource: { attributes: [text("service.name", "payments")] },
      scopeSpans: [
        {
          spans: [
            span("00000000000000b2", {
              parentSpanId: "00000000000000a1",
              name: "charge",
              kind: 1,
              attributes: [text("clew.transaction.id", "T-1")],
            }),
            span("00000000000000c3", { traceId: ALONE, name: "sweep", kind: 2 }),
          ],
        },
      ],
    },
  ],
};

describe.runIf(requireGo("a real Jaeger in front"))("a real Jaeger in front", () => {
  let collector: RealCollector;
  const jaeger = new Jaeger();

  beforeAll(async () => {
    collector = await RealCollector.start({ CLEW_QUERY_TOKENS: TOKEN });
    await jaeger.start({
      endpoint: `127.0.0.1:${collector.jaegerPort}`,
      tls: { insecure: true },
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    const answer = await fetch(`${collector.otlpUrl}/v1/traces`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(REQUEST),
    });
    expect(answer.status).toBe(200);
    await vi.waitFor(async () => expect(await find(`/api/traces/${ALONE}`)).toHaveLength(1), WAIT);
  }, START_MS_MAX);

  afterAll(async () => {
    await jaeger.stop();
    await collector?.stop();
  });

  /** What it answers; nothing where it knows nothing of it. */
  async function find<T = JaegerTrace>(path: string): Promise<readonly T[]> {
    const answer = await fetch(`${jaeger.url}${path}`);
    const { data, errors } = (await answer.json()) as { data: T[] | null; errors: unknown };
    if (answer.status !== 404) expect(errors).toBeNull();
    return data ?? [];
  }

  async function idsFor(parameters: Record<string, string>): Promise<string[]> {
    const found = await find(`/api/traces?${new URLSearchParams(parameters)}`);
    return found.map(({ traceID }) => traceID).toSorted();
  }

  test("shows a trace whole: services, parents, times, types, events, errors", async () => {
    const [trace] = await find(`/api/traces/${TRACE}`);
    const bySpan = new Map(trace?.spans.map((each) => [each.spanID, each]));
    expect([...bySpan.keys()].toSorted()).toEqual(["00000000000000a1", "00000000000000b2"]);
    const entry = bySpan.get("00000000000000a1");
    expect(entry).toMatchObject({ operationName: "POST /orders", startTime: START_MS * 1000 });
    expect(entry?.duration).toBe(12_250);
    const tags = entry?.tags.map(({ key, type, value }) => [key, [type, value]]) ?? [];
    expect(Object.fromEntries(tags)).toMatchObject({
      "clew.transaction.id": ["string", "T-1"],
      "http.response.status_code": ["int64", 500],
      share: ["float64", 0.5],
      flag: ["bool", true],
      "span.kind": ["string", "server"],
      error: ["bool", true],
      "otel.status_description": ["string", "card declined"],
      "otel.scope.name": ["string", "shop"],
    });
    expect(entry?.logs).toMatchObject([{ timestamp: START_MS * 1000 + 100 }]);
    expect(entry?.logs[0]?.fields).toContainEqual(
      expect.objectContaining({ key: "event", value: "exception" }),
    );
    const inner = bySpan.get("00000000000000b2");
    expect(inner?.references).toMatchObject([{ refType: "CHILD_OF", spanID: "00000000000000a1" }]);
    const services = Object.values(trace?.processes ?? {}).map(({ serviceName }) => serviceName);
    expect(services.toSorted()).toEqual(["orders", "payments"]);
  });

  test("shows a trace that belongs to no transaction", async () => {
    const [trace] = await find(`/api/traces/${ALONE}`);
    expect(trace?.spans.map(({ operationName }) => operationName)).toEqual(["sweep"]);
  });

  test("knows services and their operations", async () => {
    expect((await find<string>("/api/services")).toSorted()).toEqual(["orders", "payments"]);
    expect(await find<string>("/api/services/orders/operations")).toEqual(["POST /orders"]);
  });

  test.each<[string, Record<string, string>, string[]]>([
    ["a service", { service: "payments" }, [ALONE, TRACE]],
    ["an operation", { service: "payments", operation: "charge" }, [TRACE]],
    ["an operation of another service", { service: "orders", operation: "charge" }, []],
    ["a tag", { service: "orders", tags: '{"http.response.status_code":"500"}' }, [TRACE]],
    ["a tag of the resource", { service: "orders", tags: '{"tier":"gold"}' }, [TRACE]],
    ["a tag that no span has", { service: "orders", tags: '{"tier":"iron"}' }, []],
    ["a tag with quotes in it", { service: "orders", tags: '{"tier":"go\\"ld) or x"}' }, []],
    ["errors", { service: "orders", tags: '{"error":"true"}' }, [TRACE]],
    ["what lasted long enough", { service: "orders", minDuration: "12ms" }, [TRACE]],
    ["what lasted too long", { service: "orders", maxDuration: "12ms" }, []],
    ["a window before", { service: "orders", end: `${START_MS * 1000 - 1}` }, []],
    ["a limit", { service: "payments", limit: "1" }, [expect.any(String) as string]],
  ])("finds traces by %s", async (_, parameters, want) => {
    const window = { start: String((START_MS - 3_600_000) * 1000), end: `${Date.now() * 1000}` };
    expect(await idsFor({ limit: "20", ...window, ...parameters })).toEqual(want);
  });

  test("answers nothing for a trace that is not there", async () => {
    expect(await find(`/api/traces/${"1".repeat(32)}`)).toEqual([]);
  });

  test("is told nothing without a token", async () => {
    const stranger = new Jaeger();
    try {
      const endpoint = `127.0.0.1:${collector.jaegerPort}`;
      await stranger.start({ endpoint, tls: { insecure: true } });
      const answer = await fetch(`${stranger.url}/api/services`);
      expect(answer.status).toBe(500);
      expect(await answer.text()).toContain("Unauthenticated");
    } finally {
      await stranger.stop();
    }
  });
});
