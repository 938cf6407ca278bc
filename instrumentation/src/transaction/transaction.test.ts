import { afterEach, expect, test, vi } from "vitest";
import { instrumentationStats } from "../stats.ts";
import { transaction } from "./transaction.ts";

class Query implements PromiseLike<string> {
  runs = 0;
  // biome-ignore lint/suspicious/noThenProperty: query builders are such objects.
  then<A, B>(
    ok?: ((value: string) => A | PromiseLike<A>) | null,
    no?: ((error: unknown) => B | PromiseLike<B>) | null,
  ) {
    this.runs++;
    return Promise.resolve("rows").then(ok, no);
  }
}

const DECLINED = new Error("card declined");

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  ["inside", <R>(body: () => R) => transaction.run("order-1", body)],
  ["outside", <R>(body: () => R) => body()],
])(
  "%s a transaction a step returns, resolves, rejects and throws what its body does",
  async (_, within) => {
    vi.spyOn(process.stderr, "write").mockReturnValue(true);
    for (const work of [transaction.step, transaction.compensate]) {
      const object = { any: "thing" };
      expect(within(() => work("charge-card", () => object))).toBe(object);
      expect(within(() => work("charge-card", () => undefined))).toBeUndefined();
      await expect(within(() => work("charge-card", async () => object))).resolves.toBe(object);
      expect(() =>
        within(() =>
          work("charge-card", () => {
            throw DECLINED;
          }),
        ),
      ).toThrow(DECLINED);
      const rejected = within(() => work("charge-card", () => Promise.reject(DECLINED)));
      await expect(rejected).rejects.toBe(DECLINED);
      const query = new Query();
      expect(await within(() => work("save", () => query))).toBe("rows");
      expect(query.runs).toBe(1);
      expect(within(() => work("", () => 7))).toBe(7);
      const hostile = new Proxy(
        {},
        {
          has: () => {
            throw DECLINED;
          },
        },
      );
      expect(within(() => work("charge-card", () => hostile))).toBe(hostile);
    }
  },
);

test("outside of any transaction nothing is marked, each call is counted, one is said", () => {
  const printed = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const before = instrumentationStats().transactions.outside;
  transaction.step("charge-card");
  transaction.deadline(1000);
  transaction.complete();
  transaction.fail(DECLINED);
  transaction.compensated();
  transaction.compensated("charge-card");
  transaction.compensate("charge-card", () => undefined);
  expect(instrumentationStats().transactions.outside).toBe(before + 7);
  expect(printed.mock.calls.length).toBeLessThanOrEqual(1);
});

test("what means nothing is ignored and counted, and throws nothing", () => {
  const means = (ms: unknown) => ms as number;
  const ignored = (call: () => void) => {
    const before = instrumentationStats().transactions.ignored;
    transaction.run("order-1", call);
    return instrumentationStats().transactions.ignored - before;
  };
  for (const ms of [
    0,
    -1,
    Number.NaN,
    Infinity,
    1e300,
    means("soon"),
    means(undefined),
    means(null),
  ]) {
    expect([ms, ignored(() => transaction.deadline(ms))]).toEqual([ms, 1]);
  }
  for (const ms of [0.5, 1, 86_400_000]) {
    expect([ms, ignored(() => transaction.deadline(ms))]).toEqual([ms, 0]);
  }
  expect(ignored(() => transaction.step(""))).toBe(1);
  expect(ignored(() => transaction.step(Object(7)))).toBe(1);
  expect(ignored(() => transaction.fail(Object.create(null)))).toBe(0);
});

test("an error that throws when it is looked at passes unchanged", () => {
  const hostile = new Proxy(new Error("hostile"), {
    has: () => {
      throw DECLINED;
    },
    get: () => {
      throw DECLINED;
    },
  });
  const before = instrumentationStats().faults["transaction-events"] ?? 0;
  transaction.run("order-1", () => {
    transaction.fail(hostile);
    let thrown: unknown;
    try {
      transaction.step("charge-card", () => {
        throw hostile;
      });
    } catch (error) {
      thrown = error;
    }
    expect(thrown === hostile).toBe(true);
  });
  expect(instrumentationStats().faults["transaction-events"]).toBeGreaterThan(before);
});

test("the transaction is the one of the code that runs, also in what a step starts", async () => {
  const ids = await transaction.run("order-1", () =>
    transaction.step("pack", async () => {
      const before = transaction.id();
      await new Promise((resolve) => setImmediate(resolve));
      return [before, transaction.id()];
    }),
  );
  expect(ids).toEqual(["order-1", "order-1"]);
});
