import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { EmbeddedBus } from "../../collector/src/bus/embedded-bus.ts";
import { until } from "./kafka-indexing-bus.ts";
import { LetterCommands, ownRecord } from "./letter-commands.ts";
import { playLetterStory } from "./letter-story.ts";
import { RealCollector } from "./real-collector.ts";

const TEST_MS = 120_000;
const MIB = 1024 * 1024;
/** A time that no store has a day for. */
const NEVER_NS = 2n ** 63n;
const GARBAGE = Buffer.from("no protobuf");

let dir: string;
let collector: RealCollector | undefined;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "clew-letters-"));
});
afterEach(async () => {
  await collector?.stop();
  collector = undefined;
  rmSync(dir, { recursive: true, force: true });
});

async function start(env: Readonly<Record<string, string>> = {}): Promise<LetterCommands> {
  collector = await RealCollector.start({ CLEW_DATA_DIR: dir, ...env });
  return new LetterCommands(collector.queryUrl, env);
}

/** As what another process left there; the collector must not run yet. */
async function fillBus(): Promise<void> {
  const nowNs = () => BigInt(Date.now()) * 1_000_000n;
  const bus = await EmbeddedBus.open({ dir: join(dir, "bus"), maxInFlightBytes: MIB, nowNs });
  const headers = { part: 0, records: 1, repeat: false };
  const untimely = { ...headers, receivedNs: NEVER_NS };
  for (const uid of ["run-1", "run-2"]) {
    const value = ownRecord(uid, `a record of ${uid}`);
    await bus.publish({ topic: "logs", headers: { ...untimely, requestId: uid }, value });
  }
  const own = { ...headers, requestId: "garbage", receivedNs: nowNs() };
  await bus.publish({ topic: "logs", headers: own, value: GARBAGE });
  await bus.stop();
}

describe("dead letters of a collector with everything embedded", () => {
  test(
    "are seen, mended, sent again, given up, and all of it can be found",
    async () => {
      await fillBus();
      const clew = await start();
      const letters = { undecodable: "garbage-0", untimely: "run-1", doomed: "run-2" };
      const { api } = collector as RealCollector;
      await playLetterStory(clew, { letters, api });
    },
    TEST_MS,
  );

  test(
    "are done with once that was answered, though the process is killed at that moment",
    async () => {
      await fillBus();
      const clew = await start();
      const { api } = collector as RealCollector;
      await until(async () => expect(Object.keys(await clew.states())).toHaveLength(3));
      await clew.run(["dead-letters", "replay", "run-1"]);
      await collector?.halt("SIGKILL");
      await collector?.resume();
      await clew.run(["dead-letters", "discard", "run-2", "--because", "x"]);
      await collector?.halt("SIGKILL");
      await collector?.resume();
      const states = { "run-1": "replayed", "run-2": "discarded", "garbage-0": "open" };
      await until(async () => expect(await clew.states()).toEqual(states));
      await until(async () => {
        const records = await api.recordsOf("order-of-run-1");
        expect(records.map(({ id }) => id)).toEqual(["run-1"]);
      });
      await until(async () => expect(await clew.logs("anonymous")).toHaveLength(2));
    },
    TEST_MS,
  );

  test(
    "open to admins alone, whose names are kept",
    async () => {
      await fillBus();
      const tokens = { CLEW_ADMIN_TOKENS: "anna:secret-of-anna,bert:secret-of-bert" };
      const query = { CLEW_QUERY_TOKENS: "secret-of-readers" };
      const anna = await start({ ...tokens, ...query });
      const { queryUrl } = collector as RealCollector;
      await until(async () => expect(Object.keys(await anna.states())).toHaveLength(3));
      const file = join(dir, "bert");
      writeFileSync(file, "bert:secret-of-bert\n");
      const bert = new LetterCommands(queryUrl, { CLEW_ADMIN_TOKENS_FILE: file });
      const reader = new LetterCommands(queryUrl, query);
      const refused = await reader.run(["dead-letters", "ls"]);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("ADMIN_TOKENS")]);
      const why = ["--because", "x"];
      expect((await bert.run(["dead-letters", "discard", "run-1", ...why])).code).toBe(0);
      await until(async () => {
        const acts = (await anna.letters()).flatMap((letter) => letter.acts);
        expect(acts.map(({ actor }) => actor)).toEqual(["bert"]);
      });
      const [record] = await new LetterCommands(queryUrl, query).logs("discarded");
      expect(record?.attributes["clew.actor"]).toBe("bert");
    },
    TEST_MS,
  );
});
