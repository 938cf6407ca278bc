import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { until } from "./kafka-indexing-bus.ts";
import type { LetterCommands } from "./letter-commands.ts";
import type { QueryApi } from "./query-api.ts";

/** A message that nobody can read, and records received when no store has a day. */
export interface RefusedLetters {
  readonly undecodable: string;
  /** Made by `ownRecord`. */
  readonly untimely: string;
  readonly doomed: string;
}

/** What a person does with letters that were refused: look, mend, send again, give up. */
export async function playLetterStory(
  clew: LetterCommands,
  { letters, api }: { readonly letters: RefusedLetters; readonly api: QueryApi },
): Promise<void> {
  const { undecodable, untimely, doomed } = letters;
  const all = { [undecodable]: "open", [untimely]: "open", [doomed]: "open" };
  await until(async () => expect(await clew.states()).toEqual(all));
  await expectOpen(api, untimely, 1);
  const listed = await clew.run(["dead-letters", "ls"]);
  expect(listed.code).toBe(0);
  for (const told of ["undecodable", "refused", "orders"]) expect(listed.stdout).toContain(told);
  const shown = await clew.run(["dead-letters", "show", untimely]);
  expect(shown.stdout).toContain("no time from 1970 to 2261");
  expect(shown.stdout).toContain(`"stringValue": "order-of-${untimely}"`);

  // Twice, with the record in the store once.
  const replay = ["dead-letters", "replay", untimely, "--because", "clocks are set"];
  expect((await clew.run(replay)).code).toBe(0);
  expect((await clew.run(replay)).code).toBe(0);
  await until(async () => expect((await clew.states())[untimely]).toBe("replayed"));
  await until(async () => expect(await storedIds(api, untimely)).toEqual([untimely]));
  await expectOpen(api, untimely, 0);

  await mend(clew, undecodable);
  await until(async () => expect((await clew.states())[undecodable]).toBe("edited"));
  await until(async () => expect(await storedIds(api, "mended")).toEqual([`${undecodable}-0`]));

  const discard = ["dead-letters", "discard", "--all", "--because", "a load test's"];
  expect(await clew.run([...discard, "--dry-run"])).toMatchObject({ code: 0 });
  expect((await clew.states())[doomed]).toBe("open");
  expect(await clew.run(discard)).toMatchObject({ code: 0, stdout: "1 of 1 discarded\n" });
  await until(async () => expect((await clew.states())[doomed]).toBe("discarded"));
  await expectOpen(api, doomed, 0);
  expect((await clew.run(["dead-letters", "ls"])).code).toBe(1);
  await expectAudit(clew, letters);
}

/** Shows the letter, which is base64, and sends a whole request in its place. */
async function mend(clew: LetterCommands, id: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "clew-letter-"));
  const file = join(dir, "letter.json");
  const value = { stringValue: "mended" };
  const logRecords = [
    { body: value, attributes: [{ key: "transaction_id", value: { stringValue: "mended" } }] },
  ];
  writeFileSync(file, JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }));
  const original = await clew.run(["dead-letters", "show", id, "--original"]);
  expect(Buffer.from(original.stdout, "base64").toString()).toBe("no protobuf");
  const edit = ["dead-letters", "replay", id, "--edited", file, "--because", "it was cut off"];
  expect((await clew.run(edit)).code).toBe(0);
  rmSync(dir, { recursive: true });
  await until(async () => expect((await clew.states())[id]).toBe("edited"));
  const shown = await clew.run(["dead-letters", "show", id]);
  for (const told of [original.stdout.trim(), '"mended"', "it was cut off"]) {
    expect(shown.stdout).toContain(told);
  }
}

/** Every act left a record, in no transaction. */
async function expectAudit(clew: LetterCommands, letters: RefusedLetters): Promise<void> {
  const { undecodable, untimely, doomed } = letters;
  const told = async (id: string) => {
    const records = (await clew.logs(`"${id}"`)).filter(({ service }) => service === "clew");
    return records.map(({ attributes, transactionId }) => [
      attributes["event.name"],
      attributes["clew.dead_letter.act_reason"],
      attributes["clew.dead_letter.result"],
      transactionId,
    ]);
  };
  const replayed = ["clew.dead_letter.replayed", "clocks are set", "done", null];
  await until(async () => expect(await told(untimely)).toEqual([replayed, replayed]));
  const edited = ["clew.dead_letter.edited", "it was cut off", "done", null];
  await until(async () => expect(await told(undecodable)).toEqual([edited]));
  const discarded = ["clew.dead_letter.discarded", "a load test's", "done", null];
  await until(async () => expect(await told(doomed)).toEqual([discarded]));
}

async function storedIds(api: QueryApi, uid: string): Promise<readonly string[]> {
  const id = uid === "mended" ? uid : `order-of-${uid}`;
  return (await api.recordsOf(id)).map((record) => record.id);
}

async function expectOpen(api: QueryApi, uid: string, open: number): Promise<void> {
  await until(async () => {
    const transaction = await api.findTransaction(`order-of-${uid}`);
    expect(transaction?.counts).toMatchObject({ deadLetters: open });
  });
}
