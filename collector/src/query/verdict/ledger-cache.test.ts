import { expect, test } from "vitest";
import { ledgerOf, SECOND_NS, signalOf, THEN_NS } from "../../../test/verdict-fixture.ts";
import { LEDGER_RUNS_MAX } from "../../store/ledger.ts";
import type { StoreReader } from "../../store/store.ts";
import { LedgerCache } from "./ledger-cache.ts";

type Asked = Parameters<StoreReader["ledgers"]>[0];

const WINDOW = { fromNs: THEN_NS, toNs: THEN_NS + SECOND_NS };

/** A store that knows every run but `nobody`, and remembers what it was asked. */
function newCache({ isCut = false } = {}) {
  const asked: Asked[] = [];
  const clock = { ms: 0 };
  const ledgers = async (of: Asked) => {
    asked.push(of);
    const known = of.runIds.filter((runId) => runId !== "nobody");
    const logs = signalOf({ isCut: isCut && asked.length === 1 });
    return known.map((runId) => ledgerOf("orders", { runId, logs }));
  };
  return { asked, clock, cache: new LedgerCache({ reader: { ledgers }, nowMs: () => clock.ms }) };
}

test("a run is asked for once in a second, also where nobody knows it", async () => {
  const { asked, clock, cache } = newCache();
  const find = async () => (await cache.find(["a", "b", "nobody"], WINDOW)).map((it) => it.runId);
  expect(await find()).toEqual(["a", "b"]);
  clock.ms = 900;
  expect((await find()).toSorted()).toEqual(["a", "b"]);
  expect(asked).toHaveLength(1);
  clock.ms = 2000;
  await find();
  expect(asked).toHaveLength(2);
});

test("transactions of nearly one time share it; gaps ten minutes beside are in it", async () => {
  const { asked, cache } = newCache();
  await cache.find(["a"], WINDOW);
  await cache.find(["a", "b"], { fromNs: THEN_NS + SECOND_NS, toNs: THEN_NS + 9n * SECOND_NS });
  expect(asked.map(({ runIds }) => runIds)).toEqual([["a"], ["b"]]);
  expect(asked[0]?.fromNs).toBeLessThan(THEN_NS - 600n * SECOND_NS);
  expect(asked[0]?.toNs).toBeGreaterThan(THEN_NS + 601n * SECOND_NS);
  await cache.find(["a"], { fromNs: THEN_NS, toNs: THEN_NS + 9000n * SECOND_NS });
  expect(asked).toHaveLength(3);
});

test("where the gaps of a wide window are cut, those of its own are asked for", async () => {
  const { asked, cache } = newCache({ isCut: true });
  const [found] = await cache.find(["a"], WINDOW);
  expect(found?.logs.isCut).toBe(false);
  expect(asked).toHaveLength(2);
  expect(asked[1]?.fromNs).toBeGreaterThan(asked[0]?.fromNs ?? 0n);
});

test("no more are asked for at once than the store answers, or kept than fit", async () => {
  const { asked, cache } = newCache();
  const runIds = Array.from({ length: 3000 }, (_, i) => `r${i}`);
  expect(await cache.find(runIds, WINDOW)).toHaveLength(3000);
  for (const of of asked) expect(of.runIds.length).toBeLessThanOrEqual(LEDGER_RUNS_MAX);
  const before = asked.length;
  await cache.find(["r2999"], WINDOW);
  expect(asked).toHaveLength(before);
  await cache.find(["r0"], WINDOW);
  expect(asked).toHaveLength(before + 1);
});
