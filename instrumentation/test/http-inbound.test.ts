import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { distinctSpans, runHttpApp, UUID_V7 } from "./http-app.ts";
import { OtlpSink, type ReceivedSpan } from "./otlp-sink.ts";

const LONGEST = "x".repeat(64);
const LONG = "x".repeat(65);
const CORRELATION = "X-Correlation-ID: C-1";
const BAGGAGE = "baggage: clew.transaction.id=B-1";
const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
/** Node's own parser refuses control bytes with a 400, unless it is told not to. */
const LENIENT = { NODE_OPTIONS: "--insecure-http-parser --no-warnings" };

/** What a caller sends, the ID it gets back, and how many were refused. */
const INBOUND: readonly (readonly [string, readonly string[], string | RegExp, number])[] = [
  ["X-Transaction-ID", ["X-Transaction-ID: T-1"], "T-1", 0],
  ["X-Correlation-ID alone", ["X-Correlation-ID: C-1"], "C-1", 0],
  ["both, the same", ["X-Transaction-ID: T-1", "X-Correlation-ID: T-1"], "T-1", 0],
  ["both: the first counts", ["X-Correlation-ID: C-1", "X-Transaction-ID: T-1"], "T-1", 0],
  ["baggage alone", ["baggage: a=1,clew.transaction.id=B-1;p=2"], "B-1", 0],
  ["baggage with another ID than the header", [BAGGAGE, "X-Transaction-ID: T-1"], "T-1", 0],
  ["X-Correlation-ID over baggage", [BAGGAGE, "X-Correlation-ID: C-1"], "C-1", 0],
  ["baggage in two headers", ["baggage: a=1", BAGGAGE], "B-1", 0],
  ["a bad one in baggage", ["baggage: clew.transaction.id=%FF%20"], UUID_V7, 1],
  ["a bad first beside a good second", ["X-Transaction-ID: a b", CORRELATION], UUID_V7, 1],
  ["the longest that is allowed", [`X-Transaction-ID: ${LONGEST}`], LONGEST, 0],
  ["X-Request-ID is none", ["X-Request-ID: R-1"], UUID_V7, 0],
  ["none", [], UUID_V7, 0],
  ["too long", [`X-Transaction-ID: ${LONG}`], UUID_V7, 1],
  ["empty", ["X-Transaction-ID:"], UUID_V7, 1],
  ["twice", ["X-Transaction-ID: A", "X-Transaction-ID: B"], UUID_V7, 1],
  ["not ASCII", ["X-Transaction-ID: ünï"], UUID_V7, 1],
  ["unicode that looks like ASCII", ["X-Transaction-ID: Ａ１"], UUID_V7, 1],
  ["twice the same", ["X-Transaction-ID: A", "X-Transaction-ID: A"], UUID_V7, 1],
  ["X-Correlation-ID twice", [CORRELATION, CORRELATION], UUID_V7, 1],
  ["only spaces", ["X-Transaction-ID:    "], UUID_V7, 1],
  ["spaces around", ["X-Transaction-ID:   T-1  "], "T-1", 0],
  ["control bytes", ["X-Transaction-ID: a\x01\x7fb"], UUID_V7, 1],
  ["a NUL byte at its end", ["X-Transaction-ID: a\x00"], UUID_V7, 1],
  ["a tab inside", ["X-Transaction-ID: a\tb"], UUID_V7, 1],
];

interface Seen {
  readonly echoed: string;
  readonly rejected: number;
}

describe("in by", () => {
  let seen: readonly Seen[];
  let spans: readonly ReceivedSpan[];

  beforeAll(async () => {
    const sink = new OtlpSink();
    const client = `
      const seen = [];
      for (const headers of ${JSON.stringify(INBOUND.map(([, headers]) => headers))}) {
        const { rejected } = instrumentationStats().transactions;
        const echoed = await ask(...headers);
        seen.push({ echoed, rejected: instrumentationStats().transactions.rejected - rejected });
      }
      return { seen, faults: instrumentationStats().faults };`;
    const result = await runHttpApp<{ seen: Seen[]; faults: object }>({
      ...{ endpoint: await sink.start(), handler: "res.end();", client, env: LENIENT },
    });
    await sink.stop();
    expect(result.faults).toEqual({});
    seen = result.seen;
    spans = distinctSpans(sink);
  });

  test.each(INBOUND.map(([name, , want, rejected], index) => ({ name, want, rejected, index })))(
    "$name",
    ({ want, rejected, index }) => {
      const isMinted = typeof want !== "string";
      expect(seen[index]).toEqual({
        echoed: isMinted ? expect.stringMatching(want) : want,
        rejected,
      });
      expect(spans[index]?.attributes).toMatchObject({
        "clew.transaction.id": seen[index]?.echoed,
        ...(isMinted ? { "clew.transaction.start": true } : {}),
      });
      if (!isMinted) expect(spans[index]?.attributes).not.toHaveProperty("clew.transaction.start");
    },
  );
});

describe("CLEW_TRUST_INBOUND=0", () => {
  let sink: OtlpSink;

  beforeEach(() => {
    sink = new OtlpSink();
  });
  afterEach(() => sink.stop());

  test.each([
    ["X-Transaction-ID", "X-Transaction-ID: T-1", "T-1"],
    ["X-Correlation-ID", "X-Correlation-ID: C-1", "C-1"],
    ["baggage", "baggage: clew.transaction.id=B-1,k=v", "B-1"],
    ["a bad one", "X-Transaction-ID: a b", undefined],
  ])("%s is an attribute, the caller's trace a link", async (_, header, want) => {
    const env = { CLEW_TRUST_INBOUND: "0" };
    const headers = `"${header}", "traceparent: 00-${TRACE}-${PARENT}-01"`;
    const handler = `
    if (req.url === "/next") return res.end(JSON.stringify(req.headers));
    server.emit("told", await (await fetch(url + "/next")).json());
    res.end();`;
    const client = `const told = once(server, "told");
    return [await ask(${headers}), (await told)[0]];`;
    const [echoed, told] = await runHttpApp<[string, Record<string, string>]>({
      ...{ endpoint: await sink.start(), handler, client, env },
    });
    expect(echoed).toMatch(UUID_V7);
    const [span] = distinctSpans(sink).filter(
      (received) => received.attributes["url.path"] === "/in",
    );
    expect(span?.attributes["clew.transaction.id"]).toBe(echoed);
    expect(span?.attributes["clew.transaction.caller_id"]).toBe(want);
    expect(span?.traceId).not.toBe(TRACE);
    expect(span?.links).toEqual([{ traceId: TRACE, spanId: PARENT }]);
    // Nothing of the caller's goes on to the next service, its baggage neither.
    expect(told["x-transaction-id"]).toBe(echoed);
    expect(told.baggage).toBe(`clew.transaction.id=${echoed}`);
  });
});
