import { REPORT } from "@clew/instrumentation/names";
import { expect, test } from "vitest";
import { inputOf, ledgerOf, reportOf, signalOf } from "../../../../test/verdict-fixture.ts";
import type { Attributes } from "../../../record.ts";
import { Evidence } from "../evidence.ts";
import { findDropped } from "./find-dropped.ts";

const CUT = { [REPORT.droppedTransactionsCut]: true };
const named = (...ids: string[]) => ({ [REPORT.droppedTransactions]: ids });

test.each<[string, Attributes, string[]]>([
  ["nothing was dropped", {}, []],
  ["its records were", named("other", "order-1"), ["missing"]],
  ["others' were", named("other"), []],
  ["more were than can be named", { ...named("other"), ...CUT }, ["doubt"]],
  ["it is among those that could be named", { ...named("order-1"), ...CUT }, ["missing"]],
])("%s", (_, figures, levels) => {
  const ledger = ledgerOf("orders", {
    report: reportOf("orders", { figures }),
    logs: signalOf({ dropped: 3 }),
  });
  const silent = ledgerOf("mail", { report: null });
  const found = findDropped(new Evidence(inputOf({ ledgers: [ledger, silent] })));
  expect(found.map(({ level }) => level)).toEqual(levels);
});
