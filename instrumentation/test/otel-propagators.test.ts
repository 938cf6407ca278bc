import { expect, test } from "vitest";
import { observe } from "./otel-observed.ts";

const TRACE = "0af7651916cd43dd8448eb211c803101";
const SPAN = "b7ad6b7169203331";
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const MEMBER = "clew.transaction.id=T-1";

/** What the API puts on a request inside a transaction, below a span, with baggage. */
test.each<[string | undefined, object]>([
  [undefined, { traceparent: TRACEPARENT, baggage: `${MEMBER},a=1` }],
  ["baggage,tracecontext", { traceparent: TRACEPARENT, baggage: `${MEMBER},a=1` }],
  ["tracecontext", { traceparent: TRACEPARENT }],
  ["baggage", { baggage: `${MEMBER},a=1` }],
  ["b3", { b3: `${TRACE}-${SPAN}-1` }],
  ["B3multi", { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1" }],
  ["b3,baggage", { b3: `${TRACE}-${SPAN}-1`, baggage: `${MEMBER},a=1` }],
  ["none", {}],
  ["tracecontext,none", {}],
])("OTEL_PROPAGATORS=%s", async (propagators, want) => {
  const { end } = await observe({
    env: propagators === undefined ? {} : { OTEL_PROPAGATORS: propagators },
    code: `
      const sent = {};
      transaction.run("T-1", () => {
        const baggage = propagation.createBaggage({ a: { value: "1" } });
        propagation.inject(propagation.setBaggage(below(1, 1), baggage), sent);
      });
      process.stdout.write(JSON.stringify(sent));
    `,
  });
  expect(end).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(end.stdout)).toEqual({ "x-transaction-id": "T-1", ...want });
});

test("OTEL_PROPAGATORS=b3 is also how the API reads a caller's trace", async () => {
  const { end } = await observe({
    env: { OTEL_PROPAGATORS: "b3" },
    code: `
      const headers = { b3: "${TRACE}-${SPAN}-1", "x-transaction-id": "T-2" };
      const received = propagation.extract(context.active(), headers);
      context.with(received, () => {
        const found = [trace.getSpanContext(received).spanId, transaction.id()];
        process.stdout.write(JSON.stringify(found));
      });
    `,
  });
  expect(JSON.parse(end.stdout)).toEqual([SPAN, "T-2"]);
});

/** Our own hooks: a caller's trace goes in by HTTP, and on by fetch. */
test.each<[string, Record<string, string>, readonly string[]]>([
  ["b3", { b3: `${TRACE}-${SPAN}-1` }, ["b3"]],
  [
    "b3multi",
    { "x-b3-traceid": TRACE, "x-b3-spanid": SPAN, "x-b3-sampled": "1" },
    ["x-b3-sampled", "x-b3-spanid", "x-b3-traceid"],
  ],
  ["tracecontext", { traceparent: TRACEPARENT }, ["traceparent"]],
  ["tracecontext,baggage", { traceparent: TRACEPARENT }, ["baggage", "traceparent"]],
])("OTEL_PROPAGATORS=%s holds for requests in and out", async (propagators, headers, want) => {
  const seen = await observe({
    env: { OTEL_PROPAGATORS: propagators },
    code: `
      import http from "node:http";
      const server = http.createServer(async (request, response) => {
        if (request.url === "/inner") return response.end(JSON.stringify(request.headers));
        const inner = await fetch("http://127.0.0.1:" + server.address().port + "/inner");
        response.end(await inner.text());
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
      const { port } = server.address();
      const headers = ${JSON.stringify({ "x-transaction-id": "T-1", ...headers })};
      http.get({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
        response.on("data", (data) => process.stdout.write(data)).on("close", () => {
          server.close();
          server.closeAllConnections();
        });
      });
    `,
  });
  const sent = JSON.parse(seen.end.stdout) as Record<string, string>;
  const known = ["b3", "baggage", "traceparent", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"];
  expect(known.filter((name) => name in sent)).toEqual(want);
  expect(sent["x-transaction-id"]).toBe("T-1");
  const servers = seen.spans.filter((span) => span.kind === 2);
  expect(new Set(servers.map((span) => span.traceId))).toEqual(new Set([TRACE]));
  const [inner] = servers.filter((span) => span.attributes["url.path"] === "/inner");
  expect(Object.values(sent).join()).toContain(inner?.parentSpanId);
});
