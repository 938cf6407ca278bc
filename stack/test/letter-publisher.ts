import { KafkaTopics } from "./kafka-topics.ts";
import { ownRecord } from "./letter-commands.ts";
import type { RefusedLetters } from "./letter-story.ts";

/** A time that no store has a day for. */
const NEVER_NS = 2n ** 63n;

/** Puts messages into the topic of logs that the indexer will refuse, as a collector would. */
export async function publishRefused(
  brokers: readonly string[],
  prefix: string,
): Promise<RefusedLetters> {
  const headersOf = (requestId: string, receivedNs: bigint) => ({
    "clew.request.id": requestId,
    "clew.part": "0",
    "clew.records": "1",
    "clew.received": String(receivedNs),
    "clew.repeat": "0",
  });
  const untimely = ["run-1", "run-2"].map((uid) => ({
    value: ownRecord(uid, `a record of ${uid}`),
    headers: headersOf(uid, NEVER_NS),
  }));
  const now = BigInt(Date.now()) * 1_000_000n;
  const garbage = { value: Buffer.from("no protobuf"), headers: headersOf("garbage", now) };
  await new KafkaTopics(brokers).send(`${prefix}.logs`, [...untimely, garbage]);
  return { undecodable: "garbage-0", untimely: "run-1", doomed: "run-2" };
}
