import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deadLetters } from "../src/cli/dead-letters/dead-letters.ts";
import { DEAD_LETTERS_HELP, deadLettersHelp } from "../src/cli/dead-letters/help.ts";
import { plain, type Terminal } from "../src/cli/terminal.ts";
import { UsageError } from "../src/cli/usage-error.ts";
import { ClewError } from "../src/errors.ts";
import { LettersHarness } from "./letters-harness.ts";
import { logsRequest } from "./otlp-fixtures.ts";

const GARBAGE = Buffer.from("this is no protobuf");
const AWAY = new ClewError("BUS_UNAVAILABLE", "cannot publish: the bus is away");

let clew: LettersHarness;
let url: string;
let dir: string;
beforeEach(async () => {
  clew = await LettersHarness.open();
  url = await clew.listen();
  dir = mkdtempSync(join(tmpdir(), "clew-letters-"));
});
afterEach(async () => {
  await clew.stop();
  rmSync(dir, { recursive: true, force: true });
});

interface Ran {
  readonly code: number;
  readonly printed: string;
  readonly noted: string;
}

/** @param typed what a person at a terminal answers; undefined: stdout is no terminal. */
async function run(args: readonly string[], typed?: string): Promise<Ran> {
  const printed: string[] = [];
  const noted: string[] = [];
  const terminal: Terminal = {
    ...{ stdin: Readable.from([typed ?? ""]), isInteractive: typed !== undefined },
    ...{ columns: 120, colour: plain },
    print: (text) => printed.push(text),
    note: (text) => noted.push(text),
  };
  const code = await deadLetters([...args, "--url", url], terminal);
  await clew.settled();
  return { code, printed: printed.join("\n"), noted: noted.join("\n") };
}

async function refuse(uid: string, transaction = "order-1"): Promise<void> {
  const attributes = { "log.record.uid": uid, transaction_id: transaction };
  const records = [{ body: "L".repeat(5000), attributes }];
  await clew.publish("logs", logsRequest([{ resource: { "service.name": "orders" }, records }]));
}

async function stateOf(id: string): Promise<string | undefined> {
  return (await clew.reader.findDeadLetter(id))?.state;
}

describe("ls", () => {
  it("shows causes, then each letter, as a table or as JSON lines", async () => {
    await refuse("run-1");
    await refuse("run-2", "order-2");
    await clew.publish("logs", GARBAGE, { requestId: "garbage" });
    const causes = await run(["ls"]);
    expect(causes.code).toBe(0);
    const [head, first, second] = causes.printed.split("\n");
    expect(head).toMatch(/^COUNT +REASON +SERVICE +LAST +FOR EXAMPLE +WHAT$/);
    expect(first).toMatch(/^ +2 +refused +orders +\S+Z +run-2 +\* bytes: the store takes/);
    expect(second).toMatch(/^ +1 +undecodable +- +\S+Z +garbage-0 +cannot read the protobuf/);
    const each = await run(["ls", "--each", "--service", "orders"]);
    expect(each.printed.split("\n").slice(1)).toEqual([
      expect.stringMatching(/open +refused +orders +order-2 +run-2 +\d+ bytes/),
      expect.stringMatching(/open +refused +orders +order-1 +run-1 +\d+ bytes/),
    ]);
    const json = await run(["ls", "--transaction", "order-2", "--json"]);
    expect(JSON.parse(json.printed)).toMatchObject({ id: "run-2", transactionId: "order-2" });
    const cut = await run(["ls", "--each", "--limit", "1"]);
    expect(cut.noted).toContain("the latest 1 are shown");
  });

  it("finds none with exit code 1", async () => {
    expect(await run(["ls"])).toEqual({ code: 1, printed: "", noted: "no dead letter matches" });
    await refuse("run-1");
    await run(["discard", "run-1", "--because", "a test's"]);
    expect((await run(["ls"])).code).toBe(1);
    expect((await run(["ls", "--state", "all"])).code).toBe(0);
    expect((await run(["ls", "--state", "discarded", "--since", "1h"])).code).toBe(0);
  });
});

describe("show", () => {
  it("tells why, what was done, and what the letter holds", async () => {
    await refuse("run-1");
    await run(["replay", "run-1", "--because", "once more"]);
    const { code, printed } = await run(["show", "run-1"]);
    expect(code).toBe(0);
    for (const told of ["state       open", "2 times", "order-1", "by anonymous: once more"]) {
      expect(printed).toContain(told);
    }
    expect(printed).toContain('"stringValue": "orders"');
    const json = await run(["show", "run-1", "--json"]);
    expect(JSON.parse(json.printed)).toMatchObject({ id: "run-1", refusals: 2 });
  });

  it("gives bytes that nobody can read as they are", async () => {
    await clew.publish("logs", GARBAGE, { requestId: "garbage" });
    expect((await run(["show", "garbage-0"])).printed).toContain(GARBAGE.toString("base64"));
    const original = await run(["show", "garbage-0", "--original"]);
    expect(original.printed).toBe(GARBAGE.toString("base64"));
  });

  it("finds none with exit code 1", async () => {
    const { code, noted } = await run(["show", "nobody"]);
    expect([code, noted]).toEqual([1, expect.stringContaining("no dead letter has this id")]);
    expect((await run(["show", "nobody", "--json"])).printed).toBe("null");
  });
});

describe("replay and discard", () => {
  it("sends an edited letter as show printed it", async () => {
    await refuse("run-1");
    const { printed } = await run(["show", "run-1", "--original"]);
    const file = join(dir, "letter.json");
    writeFileSync(file, printed.replace(/L{5000}/, "cut to size"));
    const because = ["--because", "it was too long"];
    const done = await run(["replay", "run-1", "--edited", file, ...because]);
    expect(done).toMatchObject({ code: 0, printed: "replay run-1: done\n1 of 1 replayed" });
    expect(await stateOf("run-1")).toBe("edited");
    const found = await clew.reader.searchLogs({ query: "size", limit: 9, order: "newest" });
    expect(found.items.map(({ id }) => id)).toContain("run-1");
  });

  it("asks on a terminal before it acts upon many", async () => {
    await refuse("run-1");
    await refuse("run-2");
    const discard = ["discard", "--all", "--because", "tests"];
    const no = await run(discard, "n\n");
    expect(no).toMatchObject({ code: 1, printed: "" });
    expect(no.noted).toBe("discard 2 dead letters? [y/N]\nnothing was done");
    expect((await run(discard, "")).code).toBe(1);
    expect(await stateOf("run-1")).toBe("open");
    expect(await run(discard, "yes\n")).toMatchObject({ code: 0, printed: "2 of 2 discarded" });
    expect(await stateOf("run-1")).toBe("discarded");
    expect(await run(discard, "y\n")).toMatchObject({ code: 1, noted: "no dead letter matches" });
  });

  it("asks nobody with --yes, of one letter, or where no person is", async () => {
    for (const id of ["run-1", "run-2", "run-3", "run-4"]) await refuse(id);
    const why = ["--because", "x"];
    expect((await run(["discard", "run-1", ...why], "n\n")).code).toBe(0);
    expect((await run(["discard", "run-2", "run-3", "--yes", ...why], "n\n")).code).toBe(0);
    expect((await run(["discard", "--all", ...why])).code).toBe(0);
    expect(await stateOf("run-4")).toBe("discarded");
  });

  it("only says what it would do with --dry-run", async () => {
    await refuse("run-1");
    const { code, printed } = await run(["replay", "--all", "--dry-run"]);
    expect(code).toBe(0);
    expect(printed).toMatch(
      /^replay run-1: possible: \d+ bytes would be sent to logs\n1 of 1 would/,
    );
    expect(clew.sent).toEqual([]);
  });

  it("goes on until all that match are through, or the limit", async () => {
    const { bus } = clew;
    const value = logsRequest([{ resource: {}, records: [{ body: "L".repeat(5000) }] }]);
    const headers = { part: 0, records: 1, receivedNs: 1_772_366_400_000_000_000n, repeat: false };
    const publishing = Array.from({ length: 620 }, (_, i) =>
      bus.publish({ topic: "logs", headers: { ...headers, requestId: `many-${i}` }, value }),
    );
    await Promise.all(publishing);
    await clew.settled();
    const because = ["--because", "x", "--json"];
    const some = await run(["discard", "--all", "--limit", "10", ...because]);
    expect(some.printed.split("\n")).toHaveLength(10);
    const rest = await run(["discard", "--all", ...because]);
    const ids = rest.printed.split("\n").map((line) => JSON.parse(line).id);
    expect(new Set(ids).size).toBe(610);
    expect((await run(["ls"])).code).toBe(1);
  });

  it("ends with 1 and says which could not be sent", async () => {
    await refuse("run-1");
    clew.publishFault = () => AWAY;
    const { code, printed } = await run(["replay", "run-1", "nobody"]);
    expect(code).toBe(1);
    expect(printed).toContain(`replay run-1: failed: ${AWAY.message}`);
    expect(printed).toContain("replay nobody: not-found");
    expect(printed).toContain("0 of 2 replayed; 2 could not be");
    const json = await run(["replay", "--all", "--json"]);
    expect(JSON.parse(json.printed)).toMatchObject({ id: "run-1", result: "failed" });
  });
});

describe("a command line that is wrong", () => {
  it.each([
    [[""], "what to do is missing"],
    [["burn"], 'it cannot "burn"'],
    [["ls", "x"], "unexpected argument 'x'"],
    [["ls", "--limit", "0"], "--limit 0 is no number"],
    [["ls", "--since", "soon"], "cannot run clew dead-letters: --since soon"],
    [["show"], "id of a dead letter is missing"],
    [["show", "a", "b"], "unexpected argument 'b'"],
    [["replay"], "give ids, or say which with --all"],
    [["replay", "a", "--all"], "do not go together"],
    [["replay", "a", "b", "--edited", "f"], "--edited goes with replay and one id"],
    [["discard", "a"], "--because TEXT"],
    [["discard", "a", "--edited", "f", "--because", "x"], "--edited goes with replay"],
    [["replay", "--colour", "red"], "Unknown option '--colour'"],
  ])("%j", async (args, why) => {
    const running = run(args);
    await expect(running).rejects.toThrow(UsageError);
    await expect(running).rejects.toThrow(why);
  });

  it.each([
    ["that is not there", undefined, "PARAMETER_INVALID"],
    ["that is no JSON", "{", "REQUEST_MALFORMED"],
  ])("an edited file %s", async (_name, content, code) => {
    const file = join(dir, "letter.json");
    if (content !== undefined) writeFileSync(file, content);
    await expect(run(["replay", "a", "--edited", file])).rejects.toMatchObject({ code });
  });
});

it("has help of its own for each thing it does, with an example", () => {
  const helps = ["ls", "show", "replay", "discard"].map((verb) =>
    deadLettersHelp([verb, "--help"]),
  );
  expect(new Set(helps).size).toBe(4);
  for (const help of [...helps, DEAD_LETTERS_HELP]) expect(help).toContain("Example: clew dead");
  expect(deadLettersHelp(["--help"])).toBe(DEAD_LETTERS_HELP);
  expect(deadLettersHelp(["constructor"])).toBe(DEAD_LETTERS_HELP);
});
