import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { buildPage } from "../../stack/build.ts";
import { Browser, type BrowserPage } from "../web/browser.ts";
import { CollectorProcess, type SentLog, TRACE_ID } from "./page-harness.ts";
import { sendOrder, sendSaga } from "./page-samples.ts";

const BUILD_MS_MAX = 120_000;
const ORDER = "01989c5e-7d2a-7c31-9f10-6a2b3c4d5e6f";
const TOKEN = "page-test-token";
const HOSTILE =
  "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&lt;\u202e";

let collector: CollectorProcess;
let browser: Browser;
let page: BrowserPage;
/** What the page should never do: log an error, throw, or ask another host. */
let faults: string[];

beforeAll(async () => {
  await buildPage(AbortSignal.timeout(BUILD_MS_MAX));
  collector = await CollectorProcess.start();
  await sendOrder(collector, ORDER);
  browser = await Browser.open({ width: 1280, height: 800, isDark: false });
}, BUILD_MS_MAX);

afterAll(async () => {
  await browser?.close();
  await collector?.stop();
});

beforeEach(async () => {
  page = await browser.newPage();
  faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("request", (request) => {
    if (new URL(request.url()).hostname !== "127.0.0.1") faults.push(`asked ${request.url()}`);
  });
});

afterEach(async () => {
  await page.close();
  expect(faults).toEqual([]);
});

test("an empty collector says how to send the first records, then shows them", async () => {
  const fresh = await CollectorProcess.start();
  try {
    await page.goto(fresh.pageUrl);
    await page.getByRole("heading", { name: "No records yet" }).waitFor();
    expect(await page.locator(".commands code").count()).toBe(2);
    await fresh.sendLogs([{ id: "first-1", service: "orders", atMs: Date.now(), text: "hello" }]);
    await page.getByRole("row", { name: "first-1" }).waitFor();
  } finally {
    await fresh.stop();
  }
});

test("a bad ID, an unknown one and an unknown address each say what to do", async () => {
  await page.goto(`${collector.pageUrl}/transactions/nobody-1`);
  await page.getByRole("heading", { name: "Nothing is known of this transaction" }).waitFor();
  await page.goto(`${collector.pageUrl}/transactions/${encodeURIComponent("not an id")}`);
  await page.getByRole("heading", { name: "This is no transaction ID" }).waitFor();
  await page.goto(`${collector.pageUrl}/nowhere`);
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  // Chromium itself reports the answers 404 and 400 that the page asked for.
  expect(faults.every((fault) => /status of (404|400)/.test(fault))).toBe(true);
  faults = [];
});

test("a log line pasted into the box leads to its transaction, merged and in order", async () => {
  await page.goto(collector.pageUrl);
  await page.getByRole("link", { name: "POST /orders" }).first().waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type(`seen at night: {"level":50,"transaction_id":"${ORDER}","msg":"x"}`);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "POST /orders" }).waitFor();
  expect(new URL(page.url()).pathname).toBe(`/transactions/${ORDER}`);
  await page.getByText("8 records").waitFor();
  const lines = await page.locator(".record-line").allInnerTexts();
  expect(lines.map((line) => line.replaceAll(/\s+/g, " "))).toEqual([
    expect.stringMatching(/^\+0 ms orders SPAN POST \/orders server · 1\.20 s/),
    "+5.00 ms orders INFO order received",
    expect.stringMatching(/^\+10\.0 ms orders SPAN POST client/),
    expect.stringMatching(/^\+12\.0 ms payments ERROR POST \/charges server .* card declined$/),
    "+20.0 ms payments ERROR issuer said no",
    "+30.0 ms orders WARN will try again",
    expect.stringMatching(/^\+60\.0 ms orders SPAN send labels producer/),
    expect.stringMatching(/^\+900 ms shipping SPAN process labels consumer/),
  ]);
  expect(await page.locator(".record.error").count()).toBe(2);
});

test("the verdict, what it rests on, and a list of those that have it", async () => {
  await page.goto(`${collector.pageUrl}/?verdict=incomplete`);
  await page.getByRole("heading", { name: "No transaction passes these filters" }).waitFor();
  await page.getByRole("combobox", { name: "Records" }).selectOption("unknown");
  await page.getByRole("link", { name: "POST /orders" }).first().click();
  const rests = page.getByRole("region", { name: "What the verdict rests on" });
  await rests.getByRole("heading", { name: "In doubt" }).waitFor();
  expect(await rests.getByRole("listitem").allInnerTexts()).toEqual([
    "orders does not say how many records it makes",
    "payments does not say how many records it makes",
    "shipping does not say how many records it makes",
  ]);
});

test("the waterfall shows spans, what failed, and how long a message waited", async () => {
  await page.goto(`${collector.pageUrl}/transactions/${ORDER}`);
  const rows = page.getByRole("region", { name: "Spans over time" }).getByRole("listitem");
  await expect.poll(() => rows.count()).toBe(5);
  const names = await rows
    .getByRole("button")
    .evaluateAll((all) => all.map((button) => button.getAttribute("aria-label")));
  expect(names[0]).toContain("orders: POST /orders, server span at +0 ms, took 1.20 s");
  expect(names[2]).toContain("payments: POST /charges");
  expect(names[2]).toContain("failed: card declined");
  expect(names[4]).toContain("shipping: process labels");
  expect(names[4]).toContain("waited 835 ms in queue");
  await page
    .getByRole("button", { name: /process labels/ })
    .first()
    .click();
  await page.locator(".record.open", { hasText: "process labels" }).waitFor();
});

test("a saga's steps: what was done, what failed, what was undone, what never ended", async () => {
  const fresh = await CollectorProcess.start();
  try {
    await sendSaga(fresh, "saga-1");
    await page.goto(`${fresh.pageUrl}/?status=timed-out`);
    await page.getByRole("link", { name: "POST /orders" }).click();
    const steps = page.getByRole("region", { name: "Steps" }).getByRole("listitem");
    await expect.poll(() => steps.count()).toBe(4);
    const texts = (await steps.allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ").trim());
    expect(texts).toEqual([
      "↺ compensated reserve-stock stock +10.0 ms, took 75.0 ms undone by orders at +500 ms",
      "✓ done send-mail orders +90.0 ms compensation at +600 ms failed: mail is out",
      "✕ failed charge-card payments +100 ms, took 300 ms card declined",
      "◷ never ended book-courier shipping +700 ms",
    ]);
    await page.locator(".head").getByText("timed-out").waitFor();
    await page.locator(".head").getByText("passed without an end").waitFor();
  } finally {
    await fresh.stop();
  }
});

test("filters narrow the timeline, and a jump goes to the error and opens it", async () => {
  await page.setViewportSize({ width: 1280, height: 480 });
  await page.goto(`${collector.pageUrl}/transactions/${ORDER}`);
  await page.getByText("8 records").waitFor();
  await page.getByLabel("Words in the record or its attributes").fill("4242");
  await page.getByText("1 of 8").waitFor();
  await page.getByLabel("Words in the record or its attributes").fill("");
  await page.getByLabel("Service").selectOption("orders");
  await page.getByText("5 of 8").waitFor();
  await page.getByLabel("Kind").selectOption("log");
  await page.getByText("2 of 8").waitFor();
  await page.getByLabel("Least severity").selectOption("13");
  await page.getByText("1 of 8").waitFor();
  // The error is hidden by these filters: the jump has to clear them.
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "First error (2)" }).click();
  const opened = page.locator(".record.open");
  await opened.getByText("card declined").first().waitFor();
  await page.getByRole("button", { name: "Next error (2)" }).click();
  await opened.getByText("card.number").waitFor();
  expect(await opened.count()).toBe(1);
  // What opened and closed on the way must not leave the row beneath the bars on top.
  const bar = await page.getByRole("form", { name: "Filter records" }).boundingBox();
  const row = await page.locator(".record-line:focus").boundingBox();
  expect(row?.y).toBeGreaterThanOrEqual((bar?.y ?? Number.NaN) + (bar?.height ?? Number.NaN));
  await opened.getByText(TRACE_ID).waitFor();
  await opened.getByText("service.name").waitFor();
});

test("j, k and Enter walk through the records without a mouse", async () => {
  await page.goto(`${collector.pageUrl}/transactions/${ORDER}`);
  await page.getByText("8 records").waitFor();
  for (const key of ["j", "j", "j", "k"]) await page.keyboard.press(key);
  await expect
    .poll(() => page.locator(".record-line:focus").allInnerTexts())
    .toEqual([expect.stringContaining("order received")]);
  await page.keyboard.press("Enter");
  await page.locator(".record.open", { hasText: "order received" }).waitFor();
  await page.keyboard.press("Enter");
  await expect.poll(() => page.locator(".record.open").count()).toBe(0);
});

test("an ID with every character that IDs may have is found", async () => {
  const id = "A.b_c:d-9.json";
  await collector.sendLogs([{ id, service: "stock", atMs: Date.now(), text: "odd but allowed" }]);
  await collector.waitForRecords(id, 1);
  await page.goto(collector.pageUrl);
  await page.getByLabel("Find a transaction by its ID").fill(id);
  await page.keyboard.press("Enter");
  await page.getByText("odd but allowed").waitFor();
  await page.reload();
  await page.getByText("odd but allowed").waitFor();
});

test("whatever a service logs is shown as text and runs nowhere", async () => {
  const id = "hostile-1";
  await collector.sendLogs([
    { id, service: HOSTILE, atMs: Date.now(), text: HOSTILE, attributes: { [HOSTILE]: HOSTILE } },
  ]);
  await collector.waitForRecords(id, 1);
  await page.goto(`${collector.pageUrl}/transactions/${id}`);
  await page.locator(".record-line").click();
  await page.locator(".record.open dt", { hasText: "<img" }).first().waitFor();
  expect(await page.locator(".record-line .message").textContent()).toBe(HOSTILE);
  expect(await page.locator(".record.open .detail-message").textContent()).toBe(HOSTILE);
  await page.goto(`${collector.pageUrl}/logs?q=owned`);
  await page.locator(".record-line").first().waitFor();
  await page.goto(`${collector.pageUrl}/services`);
  await page.getByRole("row", { name: "<img" }).waitFor();
  expect(await page.locator("main img, main script").count()).toBe(0);
  expect(await page.title()).not.toContain("owned");
});

test("recent transactions filter by status and words, and lead on by keyboard", async () => {
  await collector.sendLogs([
    { id: "plain-1", service: "stock", atMs: Date.now(), text: "counted the greenhouse" },
  ]);
  await collector.waitForRecords("plain-1", 1);
  await page.goto(collector.pageUrl);
  const row = (name: string) => page.getByRole("row", { name });
  await row("plain-1").waitFor();
  await page.getByLabel("Status").selectOption("failed");
  await row("plain-1").waitFor({ state: "detached" });
  await page.getByLabel("Status").selectOption("");
  await page.getByLabel("Words in any record").fill("greenhouse");
  await row("POST /orders").waitFor({ state: "detached" });
  await row("plain-1").waitFor();
  expect(new URL(page.url()).search).toBe("?q=greenhouse");
  await page.getByLabel("Words in any record").blur();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByText("counted the greenhouse").waitFor();
  await page.goBack();
  await row("plain-1").waitFor();
});

test("new transactions come by themselves, but never move rows under the pointer", async () => {
  await page.goto(collector.pageUrl);
  const first = page.locator(".transactions tbody tr").first();
  await first.waitFor();
  const [before = ""] = await first.allInnerTexts();
  await first.hover();
  await collector.sendLogs([{ id: "late-1", service: "stock", atMs: Date.now(), text: "late" }]);
  await page.getByRole("button", { name: "1 new transaction, show" }).waitFor();
  expect((await first.allInnerTexts()).map(idIn)).toEqual([idIn(before)]);
  await page.getByRole("button", { name: "1 new transaction, show" }).click();
  await expect.poll(() => first.allInnerTexts()).toEqual([expect.stringContaining("late-1")]);

  function idIn(text: string): string | undefined {
    return /\S*…\S*|[a-z]+-\d+/.exec(text)?.[0];
  }
});

test("older transactions follow on demand", async () => {
  const atMs = Date.now() - 3_600_000;
  const logs = Array.from({ length: 60 }, (_, i) => ({
    id: `old-${i}`,
    service: "archive",
    atMs: atMs + i,
    text: "filed",
  }));
  await collector.sendLogs(logs);
  await collector.waitForRecords("old-59", 1);
  await page.goto(`${collector.pageUrl}/?service=archive`);
  const rows = page.locator(".transactions tbody tr");
  await expect.poll(() => rows.count()).toBe(50);
  await page.getByRole("button", { name: "Older transactions" }).click();
  await expect.poll(() => rows.count()).toBe(60);
});

test("ten thousand records keep the page small, and every one is reached", async () => {
  const id = "large-1";
  const atMs = Date.now();
  for (let from = 0; from < 10_500; from += 1500) {
    const logs = Array.from({ length: 1500 }, (_, i): SentLog => {
      const n = from + i;
      const severity = n === 10_200 ? "ERROR" : "INFO";
      return { id, service: `s${n % 4}`, atMs: atMs + n, text: `line ${n}`, severity };
    });
    await collector.sendLogs(logs);
  }
  await collector.waitForRecords(id, 10_500);
  await page.goto(`${collector.pageUrl}/transactions/${id}`);
  await page.getByText("10,000 of 10,500").waitFor();
  expect(await page.locator(".record").count()).toBeLessThan(150);
  // The only error is beyond what was loaded.
  await page.keyboard.press("e");
  await page.locator(".record.open", { hasText: "line 10200" }).waitFor();
  await page.getByText("10,500 records").waitFor();
  expect(await page.locator(".record").count()).toBeLessThan(150);
  await page.locator("html").evaluate((html) => html.scrollTo(0, html.scrollHeight));
  await page.locator(".record", { hasText: "line 10499" }).waitFor();
});

test("logs are searched by phrase and severity, and lead to their transaction", async () => {
  await page.goto(`${collector.pageUrl}/logs`);
  await page.getByLabel("Words or phrases").fill('"said no"');
  const lines = page.locator(".record-line");
  await expect.poll(() => lines.allInnerTexts()).toHaveLength(1);
  await page.getByLabel("Words or phrases").fill('"no said"');
  await page.getByRole("heading", { name: "No log line matches" }).waitFor();
  await page.getByLabel("Words or phrases").fill("said (no");
  const where = '")" expected at character 9, where the text ends.';
  await page.getByText(`Cannot read the search text: ${where}`).waitFor();
  await page.getByRole("button", { name: "Clear the search" }).click();
  await page.getByLabel("Service").selectOption("payments");
  await page.getByLabel("Least severity").selectOption("error");
  await page.getByLabel("Time range").selectOption("1h");
  await expect.poll(() => lines.allInnerTexts()).toHaveLength(1);
  await page.getByRole("link", { name: ORDER }).click();
  await page.getByRole("heading", { name: "POST /orders" }).waitFor();
});

test("a live tail shows lines as they come, and holds them while paused", async () => {
  await page.goto(`${collector.pageUrl}/logs?service=tailed`);
  await page.getByRole("button", { name: "Live tail" }).click();
  await page.getByText("Following: new lines come on top.").waitFor();
  const line = (text: string) => page.locator(".record-line", { hasText: text });
  const send = (text: string) =>
    collector.sendLogs([
      { id: "tail-1", service: "tailed", atMs: Date.now(), text },
      { id: "tail-1", service: "another", atMs: Date.now(), text: `not ${text}` },
    ]);
  await expect
    .poll(async () => {
      await send("one");
      return line("one").count();
    })
    .toBeGreaterThan(0);
  await page.getByRole("button", { name: "Pause" }).click();
  await send("two");
  await page.getByText(/Paused, [1-9]\d* waiting/).waitFor();
  expect(await line("two").count()).toBe(0);
  await page.getByRole("button", { name: "Resume" }).click();
  await line("two").waitFor();
  expect(await line("not ").count()).toBe(0);
  await page.getByRole("link", { name: "tail-1" }).first().click();
  await page.getByRole("heading", { name: "Transaction" }).waitFor();
});

test("services show requests, errors and durations, and lead to their logs", async () => {
  await page.goto(`${collector.pageUrl}/services`);
  const row = page.getByRole("row", { name: /^POST \/charges/ });
  await row.waitFor();
  expect((await row.allInnerTexts()).join().replaceAll(/\s+/g, " ")).toMatch(
    /^POST \/charges 1 1 100%/,
  );
  await page.getByLabel("Time range").selectOption("24h");
  await page.getByRole("columnheader", { name: "Requests/min" }).waitFor();
  await page.getByRole("link", { name: "1 errors" }).first().click();
  await page.locator(".record-line", { hasText: "issuer said no" }).waitFor();
});

test("a collector with tokens asks for one, and says so when it is wrong", async () => {
  const guarded = await CollectorProcess.start({ token: TOKEN });
  try {
    await guarded.sendLogs([
      { id: "guarded-1", service: "safe", atMs: Date.now(), text: "inside" },
    ]);
    await guarded.waitForRecords("guarded-1", 1);
    await page.goto(`${guarded.pageUrl}/transactions/guarded-1`);
    await page.getByRole("heading", { name: "This collector asks for a token" }).waitFor();
    await page.getByLabel("Query token").fill("a-wrong-token");
    await page.keyboard.press("Enter");
    await page.getByText("The token you gave is not known here.").waitFor();
    await page.getByLabel("Query token").fill(TOKEN);
    await page.keyboard.press("Enter");
    await page.locator(".record-line", { hasText: "inside" }).waitFor();
    await page.reload();
    await page.locator(".record-line", { hasText: "inside" }).waitFor();
    await page.goto(`${guarded.pageUrl}/logs?q=inside`);
    await page.locator(".record-line", { hasText: "inside" }).waitFor();
  } finally {
    await guarded.stop();
  }
  expect(faults.every((fault) => fault.includes("status of 401"))).toBe(true);
  expect(faults.length).toBeGreaterThan(0);
  faults = [];
});

test("a collector that went away is named as such, and what was shown stays", async () => {
  const gone = await CollectorProcess.start();
  await gone.sendLogs([{ id: "kept-1", service: "kept", atMs: Date.now(), text: "still here" }]);
  await gone.waitForRecords("kept-1", 1);
  await page.goto(gone.pageUrl);
  await page.getByRole("row", { name: "kept-1" }).waitFor();
  await gone.stop();
  await page.getByRole("alert").getByText("The collector cannot be reached").waitFor();
  expect(await page.getByRole("row", { name: "kept-1" }).count()).toBe(1);
  expect(faults.every((fault) => fault.includes("ERR_CONNECTION_REFUSED"))).toBe(true);
  faults = [];
});
