/** Log records to be searched: most as services write them, some hostile; drawn by a seed. */
import { MessageDecoder } from "../src/indexer/message-decoder.ts";
import { recordRequest } from "../src/indexer/record-request.ts";
import { TransactionKeys } from "../src/indexer/transaction-keys.ts";
import type { IncomingRecord } from "../src/record.ts";
import { hostileLog } from "./hostile-payload.ts";
import { type FixtureAttributes, logRecord, NOON_NS, resourceBytes } from "./record-fixtures.ts";
import { SeededRandom } from "./seeded-random.ts";

const TEMPLATES = [
  "order {} accepted for user {}",
  "card declined: code {}",
  "GET /orders/{} 200 in {} ms",
  "Überweisung {} für Straße {} storniert",
  "注文 {} を受け付けました",
  "retry {} of {} after ECONNRESET",
  "cache miss key=order:{}:{}",
  '{"level":"info","order":{},"items":[{}]}',
];
const SEVERITIES = [0, 5, 9, 9, 9, 10, 13, 17, 21];
const SERVICES = ["orders", "payments", "Orders", "mail er", "日本"];

/** Decoded from their bytes, as the indexer hands records to a store. Ids are `r0`, `r1`, … */
export function queriedRecords({ seed, count }: { seed: number; count: number }): IncomingRecord[] {
  const random = new SeededRandom(seed);
  const records: IncomingRecord[] = [];
  while (records.length < count) {
    const record = decode(random.oneIn(6) ? hostile(random) : decentLog(random));
    if (record === undefined) continue;
    const number = records.length;
    const timeNs = NOON_NS + BigInt(number * 1000 + random.below(5000));
    records.push({ ...record, id: `r${number}`, timeNs });
  }
  return records;
}

function decentLog(random: SeededRandom): IncomingRecord {
  const number = () => String(random.below(60));
  const text = random.pick(TEMPLATES).replaceAll("{}", number);
  const service = random.pick(SERVICES);
  const hasTrace = random.oneIn(2);
  return logRecord("", {
    text,
    service,
    severityNumber: random.pick(SEVERITIES),
    traceId: hasTrace ? `4bf92f3577b34da6a3ce929d0e0e${1000 + random.below(9)}` : "",
    spanId: hasTrace ? `00f067aa0ba9${1000 + random.below(9)}` : "",
    eventName: random.oneIn(10) ? "order.placed" : "",
    attributes: attributes(random),
    resource: resourceBytes({ "service.name": service, "host.name": `m${number()}`, pid: 7n }),
  });
}

function attributes(random: SeededRandom): FixtureAttributes {
  const id = random.below(60);
  return {
    ...(random.oneIn(2) ? { "user.id": random.oneIn(2) ? BigInt(id) : String(id) } : {}),
    ...(random.oneIn(3) ? { transaction_id: `T-${id}` } : {}),
    ...(random.oneIn(3)
      ? { http: { response: { status_code: BigInt(100 * (1 + (id % 5))) } } }
      : {}),
    ...(random.oneIn(4) ? { "http.response.status_code": [500n, BigInt(id)] } : {}),
    ...(random.oneIn(4) ? { ratio: id / 7, retry: random.oneIn(2) } : {}),
    ...(random.oneIn(5) ? { items: [{ sku: `a-${id}` }, { sku: "b", qty: BigInt(id) }] } : {}),
  };
}

function hostile(random: SeededRandom): IncomingRecord {
  return logRecord("", { payload: hostileLog(random), service: random.pick(SERVICES) });
}

/** Undefined where its bytes cannot be read. */
function decode(record: IncomingRecord): IncomingRecord | undefined {
  const decoder = new MessageDecoder(new TransactionKeys(["transaction_id"]));
  const headers = { requestId: "q", part: 0, records: 1, receivedNs: NOON_NS, repeat: false };
  const value = recordRequest(record);
  try {
    const lists = decoder.decode({ topic: "logs", headers, value, partition: "p", offset: 0 }, 1);
    const [decoded] = [...lists].flat();
    return decoded === undefined || decoded.report !== null ? undefined : decoded;
  } catch {
    return undefined;
  }
}
