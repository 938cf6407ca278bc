/** `npm run bench -- <name>`: measures, prints a table, and compares with the budgets. */
import { parseArgs } from "node:util";
import { type BenchReport, formatTable, ratioCells, rowCells } from "./bench-report.ts";
import { writeBenchmarks } from "./benchmarks-page.ts";
import { benchBusChoice } from "./bus-choice-bench.ts";
import { readBenchConfig } from "./config.ts";
import { type BenchOptions, benchEmbedded } from "./embedded-bench.ts";
import { benchIndex } from "./index/index-bench.ts";
import { benchInstrumentation } from "./instrumentation/instrumentation-bench.ts";
import { benchReceive } from "./receive/receive-bench.ts";

const EXIT_USAGE = 2;
const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<BenchReport>>> = {
  embedded: benchEmbedded,
  "bus-choice": benchBusChoice,
  instrumentation: benchInstrumentation,
  receive: benchReceive,
  index: benchIndex,
};
const USAGE =
  `npm run bench -- <${Object.keys(BENCHES).join("|")}> ` +
  "[--json] [--short] [--write] [--cpu-prof DIR]";

/** Answers the exit code: 0 measured, 2 wrong usage. A budget that is not met is no failure. */
export async function main(args: readonly string[]): Promise<number> {
  const command = findCommand(args);
  if (typeof command === "string") {
    process.stderr.write(`${command}; usage: ${USAGE}\n`);
    return EXIT_USAGE;
  }
  const { name, bench, values } = command;
  const profile = values["cpu-prof"];
  const report = await bench({
    ...readBenchConfig(),
    isShort: values.short === true,
    nodeArgs: profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
    say: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${formatTable(rowCells(report.rows))}\n\n`);
  process.stdout.write(`${formatTable(ratioCells(report.ratios))}\n`);
  if (values.write) {
    process.stdout.write(`\n${await writeBenchmarks({ name, report, date: new Date() })}\n`);
  }
  if (values.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return 0;
}

interface Command {
  readonly name: string;
  readonly bench: (options: BenchOptions) => Promise<BenchReport>;
  readonly values: {
    readonly json?: boolean;
    readonly short?: boolean;
    readonly write?: boolean;
    readonly "cpu-prof"?: string;
  };
}

/** What to run, or one line that says what is wrong. */
function findCommand(args: readonly string[]): Command | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        short: { type: "boolean" },
        write: { type: "boolean" },
        "cpu-prof": { type: "string" },
      },
    });
    const [name = "", ...more] = positionals;
    const bench = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (bench === undefined || more.length > 0)
      return `cannot run the bench "${positionals.join(" ")}"`;
    return { name, bench, values };
  } catch (error) {
    return `cannot read the options: ${error instanceof Error ? error.message : error}`;
  }
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
