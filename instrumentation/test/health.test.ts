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

const HEALTH_TOOLS = `${TOOLS}
  import { health } from "@clew/instrumentation";
  const get = async (path) => {
    await until(() => metrics.address !== undefined);
    const response = await fetch("http://" + metrics.address + path);
    return [response.status, response.headers.get("content-type"), await response.json()];
  };
`;

async function run<T>(code: string): Promise<T> {
  const end = await runApp({ code: HEALTH_TOOLS + code, endpoint });
  expect([end.stderr, end.code]).toEqual(["", 0]);
  return JSON.parse(end.stdout.trim().split("\n").at(-1) ?? "") as T;
}

type Answer = [number, string, Record<string, unknown>];

test("scenario 23: a health check: /readyz, /healthz, gauge, change events", async () => {
  const told = await run<{ answers: Answer[]; texts: string[] }>(`
    let isWell = true;
    health.check("db", async () => {
      const error = new Error("password of user shop");
      if (!isWell) throw Object.assign(error, { code: "ECONNREFUSED" });
    }, { intervalMs: 0 });
    const answers = [];
    const texts = [];
    for (isWell of [true, false, true]) {
      answers.push(await get("/readyz"), await get("/healthz"));
      texts.push(await scrape());
    }
    show({ answers, texts });
  `);
  const [ready, alive, failing, aliveStill, again] = told.answers;
  expect(ready?.slice(0, 2)).toEqual([200, "application/json"]);
  expect(ready?.[2]).toMatchObject({
    status: "ready",
    checks: [{ name: "db", state: "ok", critical: true }],
  });
  expect([alive?.[0], aliveStill?.[0], again?.[0]]).toEqual([200, 200, 200]);
  expect(failing?.slice(0, 2)).toEqual([503, "application/problem+json"]);
  expect(failing?.[2]).toMatchObject({
    status: 503,
    detail: "not ready: db",
    checks: [{ name: "db", state: "failing", error: "ECONNREFUSED" }],
  });
  expect(JSON.stringify(told.answers)).not.toContain("password");
  const gauges = told.texts.map((text) => metricValue(text, 'clew_health_check_up{check="db"}'));
  expect(gauges).toEqual([1, 0, 1]);
  const changes = sink.logs.filter((log) => log.attributes["event.name"] === "clew.health");
  expect(changes.map((log) => [log.severityText, log.attributes["clew.health.state"]])).toEqual([
    ["WARN", "failing"],
    ["INFO", "ok"],
  ]);
  expect(changes[0]?.attributes["exception.message"]).toBe("password of user shop");
  expect(sink.reports.at(-1)?.attributes["clew.report.health"]).toEqual({ db: "ok" });
});

test("what is not critical is shown, and does not make the service unready", async () => {
  const [status, , body] = await run<Answer>(`
    health.check("cache", () => { throw new Error("down"); }, { critical: false });
    show(await get("/readyz"));
  `);
  expect(status).toBe(200);
  expect(body.checks).toMatchObject([{ name: "cache", state: "failing", critical: false }]);
});

test("a check that hangs is given up, however many ask, and never run beside itself", async () => {
  const told = await run<{ answers: Answer[]; runs: number }>(`
    let runs = 0;
    health.check("queue", () => { runs++; return new Promise(() => {}); }, { timeoutMs: 30 });
    const answers = await Promise.all([get("/readyz"), get("/readyz"), get("/readyz")]);
    answers.push(await get("/readyz"));
    show({ answers, runs });
  `);
  expect(told.answers.map(([status]) => status)).toEqual([503, 503, 503, 503]);
  expect(told.answers[0]?.[2].checks).toMatchObject([{ name: "queue", error: "ETIMEDOUT" }]);
  expect(told.runs).toBe(1);
});

test("a check that is taken away, or has its name taken, is asked no more", async () => {
  const [, , body] = await run<Answer>(`
    const remove = health.check("a", async () => false);
    health.check("b", async () => false);
    health.check("b", async () => true);
    remove();
    show(await get("/readyz"));
  `);
  expect(body.checks).toMatchObject([{ name: "b", state: "ok" }]);
});

test("the service's own server can answer, and knows which requests are left to it", async () => {
  const told = await run<[number, string][]>(`
    health.check("db", async () => true);
    const server = http.createServer(async (request, response) => {
      if (!(await health.handle(request, response))) response.end("mine");
    }).listen(0);
    await once(server, "listening");
    const answers = [];
    for (const path of ["/healthz", "/readyz?verbose", "/orders", "/healthzz"]) {
      const response = await fetch("http://127.0.0.1:" + server.address().port + path);
      answers.push([response.status, await response.text()]);
    }
    show(answers);
    server.close();
    server.closeAllConnections();
  `);
  expect(told.map(([status]) => status)).toEqual([200, 200, 200, 200]);
  expect(told.map(([, body]) => body === "mine")).toEqual([false, false, true, true]);
});

test("a check without a name or a function is a mistake of the program, and says so", async () => {
  const told = await run<string[]>(`
    const messages = [];
    for (const wrong of [["", () => {}], ["x", undefined]]) {
      try { health.check(...wrong); } catch (error) { messages.push(String(error)); }
    }
    show(messages);
  `);
  expect(told).toEqual([
    "TypeError: cannot add the health check: its name is empty",
    "TypeError: cannot add the health check x: it is no function",
  ]);
});
