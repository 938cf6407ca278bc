/** What a store promises of spans that were made from messages of others, for store.contract.ts. */
import { expect, it } from "vitest";
import type { StoreReader, StoreWriter } from "../src/store/store.ts";
import { batchOf, DAY_NS, NOON_NS, SECOND_NS, spanRecord } from "./record-fixtures.ts";

const CONSUMER = 5;

/** Cases of `sourcedSpans`. */
export function sourceCases(
  current: () => { readonly writer: StoreWriter; readonly reader: StoreReader },
): void {
  const merging = (id: string, sources: readonly string[], seconds: bigint, receivedNs = NOON_NS) =>
    spanRecord(id, {
      ...{ spanKind: CONSUMER, transactionId: `merged-${id}`, receivedNs },
      ...{ timeNs: NOON_NS + seconds * SECOND_NS, sourceTransactionIds: sources },
      attributes: { "clew.transaction.sources": sources },
    });

  it("gives the spans made from a transaction's messages, over days and pages", async () => {
    await current().writer.write(
      batchOf([
        merging("1", ["a", "b"], 3n),
        merging("2", ["b"], 1n),
        merging("3", ["a"], 2n, NOON_NS + DAY_NS),
        spanRecord("4", { transactionId: "a", spanKind: CONSUMER }),
      ]),
    );
    const { reader } = current();
    const first = await reader.sourcedSpans({ transactionId: "a", limit: 1 });
    expect(first.items).toMatchObject([{ id: "3", transactionId: "merged-3" }]);
    const rest = { transactionId: "a", limit: 9, cursor: String(first.cursor) };
    const { items } = await reader.sourcedSpans(rest);
    expect(items.map(({ id }) => id)).toEqual(["1"]);
    expect((await reader.sourcedSpans({ transactionId: "c", limit: 9 })).items).toEqual([]);
  });
}
