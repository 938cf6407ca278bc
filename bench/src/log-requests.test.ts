import { expect, it } from "vitest";
import { walkOtlp } from "../../collector/src/otlp/otlp-walk.ts";
import {
  encodeLogRequest,
  RECORDS_PER_REQUEST,
  RECORDS_PER_TRANSACTION,
  stampLogRequest,
  transactionId,
} from "./log-requests.ts";

const REQUEST = { runId: "run", seed: 1, startNs: 1_700_000_000_000_000_000n };

function idsIn(bytes: Buffer): readonly string[] {
  return bytes.toString("latin1").match(/run-[\d#]{8}-\d{5}/g) ?? [];
}

it("is a valid export request of as many records, each of about 390 bytes", () => {
  const { bytes } = encodeLogRequest(REQUEST);
  expect(walkOtlp("logs", bytes)).toBe(RECORDS_PER_REQUEST);
  expect(bytes.length / RECORDS_PER_REQUEST).toBeGreaterThan(370);
  expect(bytes.length / RECORDS_PER_REQUEST).toBeLessThan(450);
});

it("gives each record a uid of its own, and ten records one transaction", () => {
  const request = encodeLogRequest(REQUEST);
  const ids = [0, 1].flatMap((number) => idsIn(stampLogRequest(request, number)));
  const uids = new Set(ids.filter((_, at) => at % 2 === 0));
  const transactions = new Set(ids.filter((_, at) => at % 2 === 1));
  expect(uids.size).toBe(2 * RECORDS_PER_REQUEST);
  expect(transactions.size).toBe((2 * RECORDS_PER_REQUEST) / RECORDS_PER_TRANSACTION);
  for (const transaction of [0, 99, 100, 199]) {
    expect(transactions).toContain(transactionId("run", transaction));
  }
  expect(transactions).not.toContain(transactionId("run", 200));
});

it("stays valid when it is stamped again, and is the same for the same seed", () => {
  const request = encodeLogRequest(REQUEST);
  stampLogRequest(request, 12_345_678);
  expect(walkOtlp("logs", stampLogRequest(request, 7))).toBe(RECORDS_PER_REQUEST);
  const again = stampLogRequest(encodeLogRequest(REQUEST), 7);
  expect(again.equals(request.bytes)).toBe(true);
  expect(encodeLogRequest({ ...REQUEST, seed: 2 }).bytes.equals(again)).toBe(false);
});
