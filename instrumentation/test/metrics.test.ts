import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runApp } from "./app-process.ts";
import { metricValue, TOOLS } from "./metrics-tools.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

async function run<T>(code: string, env: Record<string, string> = {}): Promise<T> {
  const end = await runApp({ code: TOOLS + code, endpoint, env });
  expect([end.stderr, end.code]).toEqual(["", 0]);
  return JSON.parse(end.stdout.trim().split("\n").at(-1) ?? "") as T;
}

async function takePort(): Promise<{ server: Server; port: number }> {
  const server = createServer((_, response) => response.end("somebody else's"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

test("scenario 22: RED figures per route and peer, with exemplars of sampled spans", async () => {
  const text = await run<string>(`
    const { default: express } = await import("express");
    const { transaction } = await import("@clew/instrumentation");
    const app = express();
    app.get("/orders/:id", (request, response) => response.send("ok"));
    app.get("/broken", () => { throw new Error("broken"); });
    app.use((error, request, response, next) => response.status(500).end());
    const server = http.createServer(app).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = "http://127.0.0.1:" + server.address().port;
    await transaction.run("T-1", async () => {
      for (const path of ["/orders/1", "/orders/2", "/broken"]) {
        await (await fetch(url + path)).text();
      }
    });
    // A port that nobody has; fetch itself refuses to ask there.
    await once(http.get("http://127.0.0.1:1/"), "error");
    await until(() => instrumentationStats().traces.made >= 7);
    const text = await scrape();
    show(text.replaceAll(String(server.address().port), "PORT"));
    server.close();
    server.closeAllConnections();
  `);
  const served = "http_server_request_duration_seconds_count";
  const made = "http_client_request_duration_seconds_count";
  const route = (name: string, status: number) =>
    `http_request_method="GET",http_route="${name}",http_response_status_code="${status}"`;
  expect(metricValue(text, `${served}{${route("/orders/:id", 200)}}`)).toBe(2);
  // A class or a status, as far as the error could be followed.
  expect(text).toMatch(/_count\{[^}]*http_route="\/broken"[^}]*="500",error_type="\w+"\} 1/);
  const peer = 'http_request_method="GET",server_address="127.0.0.1",server_port="PORT"';
  expect(metricValue(text, `${made}{${peer},http_response_status_code="200"}`)).toBe(2);
  expect(text).toMatch(
    /duration_seconds_count\{[^}]*server_port="1",error_type="ECONNREFUSED"\} 1/,
  );
  const exemplar = /^http_server_request.*\/orders.* # \{trace_id="(\w+)",transaction_id="T-1"\}/m;
  const traceId = exemplar.exec(text)?.[1];
  expect(sink.spans.map((span) => span.traceId)).toContain(traceId);
});

test("spans that are not sampled make no exemplars, and are counted all the same", async () => {
  const text = await run<string>(
    `
    const server = http.createServer((request, response) => response.end()).listen(0);
    await once(server, "listening");
    await (await fetch("http://127.0.0.1:" + server.address().port)).text();
    show(await scrape());
    server.close();
    server.closeAllConnections();
  `,
    { OTEL_TRACES_SAMPLER: "always_off" },
  );
  expect(text).toMatch(/^http_server_request_duration_seconds_count\{.*\} 1$/m);
  expect(text).not.toContain(" # {");
});

test("a taken port: the next free one, said on stderr and told to the collector", async () => {
  const { server, port } = await takePort();
  try {
    const code = `${TOOLS} await scrape(); show(metrics.address); process.exit(0);`;
    const end = await runApp({ code, endpoint, env: { CLEW_METRICS_PORT: String(port) } });
    const address = JSON.parse(end.stdout) as string;
    expect(address).toMatch(/^127\.0\.0\.1:\d+$/);
    expect(Number(address.split(":")[1])).toBeGreaterThan(port);
    expect(end.stderr).toBe(`clew: port ${port} is taken, /metrics is on ${address}\n`);
    const announced = sink.reports.map(
      (report) => report.attributes["clew.report.metrics.address"],
    );
    expect(announced.at(-1)).toBe(address);
  } finally {
    server.close();
  }
});

test("an address that is not this machine's is said once, and the service runs on", async () => {
  const code = `setTimeout(() => console.log("runs on"), 100);`;
  const end = await runApp({ code, endpoint, env: { CLEW_METRICS_HOST: "203.0.113.9" } });
  expect(end.stdout).toBe("runs on\n");
  expect(end.stderr).toMatch(/^clew: cannot listen for \/metrics on 203\.0\.113\.9: .*\n$/);
});

test("off: nothing listens, and the service can serve the text itself", async () => {
  const told = await run<[string | null, string]>(
    "show([metrics.address ?? null, await metrics.text()]);",
    { CLEW_METRICS_PORT: "off" },
  );
  expect(told[0]).toBeNull();
  expect(told[1]).toMatch(/^process_cpu_seconds_total \d/m);
});

test("scrapes are no part of the service: no span, no transaction, no figures", async () => {
  const told = await run<[number, number, string, string, string]>(`
    const get = (path) => new Promise((resolve) => {
      const [host, port] = metrics.address.split(":");
      import("node:net").then(({ connect }) => {
        const socket = connect(port, host, () => {
          socket.end("GET " + path + " HTTP/1.1\\r\\nhost: x\\r\\nconnection: close\\r\\n\\r\\n");
        });
        let answer = "";
        socket.on("data", (data) => { answer += data; });
        socket.on("close", () => resolve(answer));
      });
    });
    await until(() => metrics.address !== undefined);
    const answers = [await get("/metrics"), await get("/healthz"), await get("/nowhere")];
    const { transactions, traces } = instrumentationStats();
    show([transactions.minted, traces.made, ...answers]);
  `);
  const [minted, spans, page, alive, nowhere] = told;
  expect([minted, spans]).toEqual([0, 0]);
  expect(page).not.toMatch(/x-transaction-id/i);
  expect(page).toMatch(/^HTTP\/1\.1 200/);
  expect(page).not.toMatch(/^http_server_request_duration_seconds_count/m);
  expect(alive).toContain('{"status":"alive"}');
  expect(nowhere).toMatch(/^HTTP\/1\.1 404/);
});
