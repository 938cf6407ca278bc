import { join } from "node:path";
import { subjectEnvironment } from "../config.ts";
import { BenchProcess } from "./bench-process.ts";
import type { BenchProject } from "./bench-project.ts";
import type { SinkCounts } from "./null-otlp-sink.ts";
import type { Subject } from "./subjects.ts";

const HERE = import.meta.dirname;

/** Who runs where: what is measured has a processor to itself, load and sink share the other. */
export interface Processors {
  readonly measured: number | undefined;
  readonly others: number | undefined;
}

/** The bench's own processes. */
export interface Helpers {
  readonly load: BenchProcess;
  readonly sink: BenchProcess;
}

export interface Bench {
  readonly helpers: Helpers;
  readonly project: BenchProject;
  /** Where each process that is measured finds an empty folder for its spool. */
  readonly spoolDir: string;
  readonly sinkUrl: string;
  readonly processors: Processors;
  /** Options of our subjects' runtime, as `--cpu-prof`. */
  readonly nodeArgs: readonly string[];
}

export interface Figures {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** Starts one of the programs under a subject. */
export function startSubject(
  bench: Bench,
  { subject, program, env = {} }: SubjectProgram,
): BenchProcess {
  const { project, processors } = bench;
  return new BenchProcess({
    program: join(project.folder, program),
    nodeArgs: [...subject.args, ...(subject.isOurs ? bench.nodeArgs : [])],
    env: {
      ...subjectEnvironment({
        collectorUrl: `${bench.sinkUrl}/${senderOf(subject)}`,
        spoolDir: bench.spoolDir,
      }),
      ...env,
    },
    cwd: project.folder,
    endsWhenTold: subject.isOurs,
    processor: processors.measured,
  });
}

export interface SubjectProgram {
  readonly subject: Subject;
  readonly program: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the collector got from a subject so far. */
export async function receivedFrom({ helpers }: Bench, subject: Subject): Promise<SinkCounts> {
  const counts = await helpers.sink.ask<Record<string, SinkCounts>>("figures", "figures");
  return { ...(counts[senderOf(subject)] ?? { logs: 0, traces: 0 }) };
}

/** A subject's own path at the collector. */
function senderOf({ name }: Subject): string {
  return name.replaceAll(/[^a-z]+/gi, "-");
}

/** Starts a program of the bench itself, beside what is measured. */
export function startHelper(program: string, processors: Processors): BenchProcess {
  return new BenchProcess({
    program: join(HERE, program),
    env: subjectEnvironment({ collectorUrl: "", spoolDir: "" }),
    processor: processors.others,
  });
}
