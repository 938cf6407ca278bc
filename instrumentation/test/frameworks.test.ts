import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { distinctSpans } from "./http-app.ts";
import { FRAMEWORK_APPS, installExpress4 } from "./http-framework-apps.ts";
import { withServedApp } from "./http-served-app.ts";
import { OtlpSink, type ReceivedSpan } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;
const express4 = installExpress4();

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());
afterAll(() => express4.remove());

interface Want {
  readonly path: string;
  readonly status: number;
  /** Undefined where no route matches. */
  readonly route: string | undefined;
  /** Type and message of the one exception event. */
  readonly error?: readonly [type: string | RegExp, message: string | RegExp];
  readonly expected?: boolean;
}

const WANTED: readonly Want[] = [
  { path: "/orders/42?card=1", status: 200, route: "/orders/:id" },
  { path: "/api/items/7", status: 200, route: "/api/items/:item" },
  { path: "/api/carts/9/lines/3", status: 200, route: "/api/carts/:cart/lines/:line" },
  { path: "/tenants/acme/items/7", status: 200, route: "/tenants/:tenant/items/:item" },
  {
    path: "/tenants/acme/carts/9/lines/3",
    status: 200,
    route: "/tenants/:tenant/carts/:cart/lines/:line",
  },
  { path: "/throw", status: 500, route: "/throw", error: ["RangeError", "boom"] },
  { path: "/reject", status: 500, route: "/reject", error: ["TypeError", "later"] },
  {
    ...{ path: "/expected", status: 500, route: "/expected", expected: true },
    error: ["Declined", "no money"],
  },
  {
    ...{ path: "/teapot", status: 418, route: "/teapot", expected: true },
    error: [/Error|Exception/, /./],
  },
  { path: "/caught", status: 503, route: "/caught", error: ["RangeError", /boom|busy/] },
];

describe.each(Object.keys(FRAMEWORK_APPS))("%s", (name) => {
  test("routes name the spans, errors are recorded, expected ones told apart", async () => {
    const statuses: number[] = [];
    const bodies: string[] = [];
    const end = await withServedApp(
      { endpoint, code: FRAMEWORK_APPS[name] ?? "", env: { EXPRESS_4: express4.from } },
      async (port) => {
        for (const [index, { path }] of WANTED.entries()) {
          const headers = { "x-transaction-id": `T-${index}` };
          const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
          expect(answer.headers.get("x-transaction-id")).toBe(`T-${index}`);
          statuses.push(answer.status);
          bodies.push(await answer.text());
        }
        const lost = await fetch(`http://127.0.0.1:${port}/wp-admin/87123/x.php`);
        expect(lost.status).toBe(404);
      },
    );
    expect(end.faults).toEqual({});
    expect(statuses).toEqual(WANTED.map((want) => want.status));
    expect(bodies.slice(0, 5)).toEqual(["T-0", "T-1", "T-2", "T-3", "T-4"]);
    for (const [index, want] of WANTED.entries()) expectSpan(spanOf(`T-${index}`), want);
    const [lost] = distinctSpans(sink).filter(
      (span) => span.attributes["url.path"] === "/wp-admin/87123/x.php",
    );
    expect(lost).toMatchObject({ name: "GET", status: 0 });
    expect(lost?.attributes).not.toHaveProperty("http.route");
  });
});

function spanOf(transactionId: string): ReceivedSpan | undefined {
  return distinctSpans(sink).find(
    (span) => span.attributes["clew.transaction.id"] === transactionId,
  );
}

function expectSpan(span: ReceivedSpan | undefined, want: Want): void {
  const isError = want.error !== undefined && want.expected !== true;
  expect(span).toMatchObject({ name: `GET ${want.route}`, kind: 2, status: isError ? 2 : 0 });
  expect(span?.attributes).toMatchObject({
    "http.route": want.route,
    "http.response.status_code": want.status,
  });
  expect(span?.attributes["clew.error.expected"]).toBe(want.expected);
  expect(span?.attributes["error.type"] !== undefined).toBe(isError);
  expect(span?.events.map((event) => event.name)).toEqual(want.error ? ["exception"] : []);
  if (want.error === undefined) return;
  const [type, message] = want.error;
  expect(span?.events[0]?.attributes).toMatchObject({
    "exception.type": expect.stringMatching(type),
    "exception.message": expect.stringMatching(message),
    "exception.stacktrace": expect.stringContaining("\n    at "),
  });
  expect(span?.events[0]?.attributes["clew.error.expected"]).toBe(want.expected);
}
