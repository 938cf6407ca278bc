import { beforeEach, expect, test } from "vitest";
import { ClewError } from "../../errors.ts";
import type { WriteBatch } from "../store.ts";
import { PreparedStoreWriter, type RemoteStoreWriter } from "./prepared-store-writer.ts";

const BATCH: WriteBatch = {
  records: [],
  nextPositions: [],
  deadLetters: [],
  deadLetterActs: [],
};

let acts: string[];
let faults: ClewError[];
let prepared: PreparedStoreWriter;

beforeEach(() => {
  acts = [];
  faults = [];
  const writer: RemoteStoreWriter = {
    positions: async () => new Map(),
    write: async () => {
      acts.push("write");
      return { created: 0, existing: 0, refused: [] };
    },
    expire: async (day) => {
      acts.push("expire");
      return [day];
    },
    figures: () => ({ requests: 3, bytes: 0, repeats: 0, inFlight: 0, wantedBytes: 1 }),
    stop: async () => undefined,
  };
  const prepare = async () => {
    acts.push("prepare");
    const fault = faults.shift();
    if (fault) throw fault;
  };
  prepared = new PreparedStoreWriter({ writer, prepare });
});

test("writes nothing before all is there, and asks for that once", async () => {
  await Promise.all([prepared.write(BATCH), prepared.write(BATCH)]);
  await prepared.write(BATCH);
  expect(acts).toEqual(["prepare", "write", "write", "write"]);
  expect(prepared.figures().requests).toBe(3);
});

test("asks again at each attempt while it cannot be had; nothing expires meanwhile", async () => {
  faults = [1, 2].map((n) => new ClewError("STORE_UNAVAILABLE", `cannot set up: away ${n}`));
  await expect(prepared.write(BATCH)).rejects.toThrow("away 1");
  expect(await prepared.expire("2026-01-31")).toEqual([]);
  await expect(prepared.write(BATCH)).rejects.toThrow("away 2");
  await prepared.write(BATCH);
  expect(await prepared.expire("2026-01-31")).toEqual(["2026-01-31"]);
  expect(acts).toEqual(["prepare", "prepare", "prepare", "write", "expire"]);
});
