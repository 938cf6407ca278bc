import { expect, test } from "vitest";
import type { RequestFigures } from "./request-observer.ts";
import { RequestSeries, SERIES_MAX, TARGETS_MAX } from "./request-series.ts";

const FIGURES: RequestFigures = {
  method: "GET",
  route: "/orders/:id",
  status: 200,
  errorType: undefined,
  isExpected: false,
  durationMs: 20,
  transactionId: "basket-1",
  traceId: undefined,
};

function newSeries(): RequestSeries {
  return new RequestSeries({
    targetOf: (figures) => figures.route,
    labelsOf: (route) => ({ http_route: route }),
  });
}

/** Labels and count of each series. */
function countsOf(series: RequestSeries): [Record<string, string>, number][] {
  return series
    .samples()
    .filter((sample) => sample.suffix === "_count")
    .map(({ labels, value }) => [{ ...labels }, value]);
}

test("one series for each route, method, status and unexpected error", () => {
  const series = newSeries();
  series.observe(FIGURES);
  series.observe(FIGURES);
  series.observe({ ...FIGURES, method: "POST" });
  series.observe({ ...FIGURES, status: 500, errorType: "500" });
  series.observe({ ...FIGURES, status: 0, errorType: "ECONNRESET" });
  series.observe({ ...FIGURES, route: undefined });
  const route = { http_route: "/orders/:id" };
  const status = { http_response_status_code: "200" };
  expect(countsOf(series)).toEqual([
    [{ http_request_method: "GET", ...route, ...status }, 2],
    [
      { http_request_method: "GET", ...route, http_response_status_code: "500", error_type: "500" },
      1,
    ],
    [{ http_request_method: "GET", ...route, error_type: "ECONNRESET" }, 1],
    [{ http_request_method: "POST", ...route, ...status }, 1],
    [{ http_request_method: "GET", ...status }, 1],
  ]);
});

test("an expected error is no failure, and has a count of its own", () => {
  const series = newSeries();
  const expected = { ...FIGURES, status: 404, errorType: "404", isExpected: true };
  series.observe(expected);
  series.observe(expected);
  expect(countsOf(series).map(([labels]) => Object.keys(labels))).toEqual([
    ["http_request_method", "http_route", "http_response_status_code"],
  ]);
  expect(series.expectedErrors()).toEqual([
    {
      labels: { http_request_method: "GET", http_route: "/orders/:id", error_type: "404" },
      value: 2,
    },
  ]);
});

test("routes beyond the bound are counted under _OTHER, and none is lost", () => {
  const series = newSeries();
  for (let i = 0; i < TARGETS_MAX + 50; i++) series.observe({ ...FIGURES, route: `/r${i}` });
  const counts = countsOf(series);
  expect(counts).toHaveLength(TARGETS_MAX + 1);
  expect(counts.find(([labels]) => labels.http_route === "_OTHER")?.[1]).toBe(50);
});

test("statuses and errors cannot make more series than the bound, and none is lost", () => {
  const series = newSeries();
  const requests = SERIES_MAX + 500;
  for (let i = 0; i < requests; i++) series.observe({ ...FIGURES, errorType: `E${i}` });
  const counts = countsOf(series);
  expect(counts).toHaveLength(SERIES_MAX + 1);
  expect(counts.reduce((sum, [, count]) => sum + count, 0)).toBe(requests);
  expect(counts.at(-1)).toEqual([{ http_request_method: "_OTHER", http_route: "_OTHER" }, 500]);
});

test("only a request with a trace, which is a sampled one, becomes an exemplar", () => {
  const series = newSeries();
  series.observe(FIGURES);
  expect(series.samples().some((sample) => sample.exemplar !== undefined)).toBe(false);
  series.observe({ ...FIGURES, traceId: "4bf92f3577b34da6a3ce929d0e0e4736" });
  const exemplars = series.samples().flatMap((sample) => sample.exemplar ?? []);
  expect(exemplars).toMatchObject([
    {
      labels: { trace_id: "4bf92f3577b34da6a3ce929d0e0e4736", transaction_id: "basket-1" },
      value: 0.02,
    },
  ]);
});
