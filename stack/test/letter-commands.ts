import { execFile } from "node:child_process";
import { join } from "node:path";
import type { LetterView } from "../../collector/src/query/dead-letters/letter-view.ts";
import type { StoredRecord } from "../../collector/src/record.ts";
import { logsRequest } from "../../collector/test/otlp-fixtures.ts";

const PROGRAM = join(import.meta.dirname, "../../collector/bin/clew.js");
const DEADLINE_MS = 60_000;

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command `clew`, as a person uses it against one collector. */
export class LetterCommands {
  readonly #url: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(url: string, env: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#env = env;
  }

  run(args: readonly string[]): Promise<Ran> {
    const all = [PROGRAM, ...args, "--url", this.#url];
    const env = { PATH: process.env.PATH, ...this.#env };
    return new Promise((resolve) => {
      execFile(process.execPath, all, { env, timeout: DEADLINE_MS }, (error, stdout, stderr) => {
        const code = error === null ? 0 : Number(error.code ?? -1);
        resolve({ code, stdout, stderr });
      });
    });
  }

  /** In any state, those refused last first. */
  async letters(): Promise<readonly LetterView[]> {
    const { stdout } = await this.run(["dead-letters", "ls", "--each", "--state", "all", "--json"]);
    return linesOf<LetterView>(stdout);
  }

  async states(): Promise<Readonly<Record<string, string>>> {
    const letters = await this.letters();
    return Object.fromEntries(letters.map(({ id, state }) => [id, state]));
  }

  /** `clew logs`, the newest last. */
  async logs(query: string): Promise<readonly StoredRecord[]> {
    return linesOf<StoredRecord>((await this.run(["logs", query, "--json"])).stdout);
  }
}

/** A record that has its id from the service that made it. */
export function ownRecord(uid: string, body: string): Buffer {
  const attributes = { "log.record.uid": uid, transaction_id: `order-of-${uid}` };
  const resource = { "service.name": "orders" };
  return logsRequest([{ resource, scope: "test", records: [{ body, attributes }] }]);
}

function linesOf<T>(text: string): readonly T[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}
