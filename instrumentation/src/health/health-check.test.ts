import { expect, test, vi } from "vitest";
import { findContext } from "../transaction/transaction-context.ts";
import { HealthCheck, type HealthCheckOptions, type HealthProbe } from "./health-check.ts";

function newCheck(probe: HealthProbe, options: HealthCheckOptions = { intervalMs: 0 }) {
  const changes: string[] = [];
  const onChange = (check: HealthCheck) => changes.push(check.state);
  return { check: new HealthCheck({ name: "db", probe, options, onChange }), changes };
}

test.each<[string, HealthProbe, string]>([
  ["resolves", async () => "pong", "ok"],
  ["returns", () => undefined, "ok"],
  ["says false", async () => false, "failing"],
  ["rejects", async () => Promise.reject(new Error("no")), "failing"],
  [
    "throws",
    () => {
      throw new Error("no");
    },
    "failing",
  ],
  ["rejects with nothing", async () => Promise.reject(undefined), "failing"],
])("a check that %s", async (_, probe, want) => {
  const { check } = newCheck(probe);
  expect(check.state).toBe("unknown");
  await check.refresh();
  expect(check.state).toBe(want);
  expect(check.durationMs).toBeGreaterThanOrEqual(0);
});

test("one that hangs fails at its deadline, is aborted, and is not run beside itself", async () => {
  let runs = 0;
  let release: () => void = () => undefined;
  let signal: AbortSignal | undefined;
  const { check } = newCheck(
    (given) => {
      runs++;
      signal = given;
      return new Promise<void>((resolve) => {
        release = resolve;
      });
    },
    { timeoutMs: 5, intervalMs: 0 },
  );
  await check.refresh();
  expect([check.state, signal?.aborted, runs]).toEqual(["failing", true, 1]);
  expect(check.error).toMatchObject({ code: "ETIMEDOUT" });
  await check.refresh();
  expect(runs).toBe(1);
  release();
  await vi.waitFor(async () => {
    void check.refresh();
    expect(runs).toBe(2);
  });
  release();
  await vi.waitFor(() => expect(check.state).toBe("ok"));
});

test("those that ask together share a run, and within the interval its result", async () => {
  const probe = vi.fn(async () => undefined);
  const { check } = newCheck(probe, { intervalMs: 60_000 });
  await Promise.all([check.refresh(), check.refresh(), check.refresh()]);
  await check.refresh();
  expect(probe).toHaveBeenCalledTimes(1);
});

test("only changes are told, and being well from the start is none", async () => {
  let isWell = true;
  const { check, changes } = newCheck(async () => isWell);
  for (const next of [true, false, false, true]) {
    isWell = next;
    await check.refresh();
  }
  expect(changes).toEqual(["failing", "ok"]);
});

test("a time-out that makes no sense does not fail every check", async () => {
  const { check } = newCheck(async () => undefined, { timeoutMs: Number.NaN, intervalMs: -1 });
  await check.refresh();
  expect(check.state).toBe("ok");
});

test("what it asks of others belongs to no transaction and makes no spans", async () => {
  const seen = vi.fn();
  const { check } = newCheck(async () =>
    seen(findContext()?.suppressed, findContext()?.transaction),
  );
  await check.refresh();
  expect(seen).toHaveBeenCalledWith(true, undefined);
});
