/** Writes to the store of a folder until it is killed; before each write it says what is stored. */
import { writeSync } from "node:fs";
import { openEmbeddedStoreWriter } from "../src/store/embedded/embedded-store-writer.ts";
import { batchOf, DAY_NS, logRecord, NOON_NS } from "./record-fixtures.ts";

const RECORDS_PER_DAY = 10;
const OFFSETS_MAX = 100_000;

const writer = openEmbeddedStoreWriter({ dir: String(process.argv[2]) });
const first = (await writer.positions()).get("embedded/0") ?? 0;
for (let offset = first; offset < OFFSETS_MAX; offset++) {
  const records = Array.from({ length: RECORDS_PER_DAY * 2 }, (_, i) =>
    logRecord(`${offset}-${i}`, {
      transactionId: "t",
      receivedNs: NOON_NS + BigInt(i % 2) * DAY_NS,
      text: "word ".repeat(1000 * (1 + (offset % 7))),
    }),
  );
  writeSync(1, `${offset}\n`);
  await writer.write(batchOf(records, { next: offset + 1 }));
}
