/** What is measured side by side. Each is set up as its own documentation says, nothing tuned. */
export interface Subject {
  readonly name: string;
  readonly isOurs: boolean;
  /** Whether it sends a span for each request. */
  readonly isTracing: boolean;
  /** Node's arguments that load it. */
  readonly args: readonly string[];
}

export const BARE: Subject = { name: "bare", isOurs: false, isTracing: false, args: [] };

export const OURS_IDS: Subject = {
  name: "clew, IDs only",
  isOurs: true,
  isTracing: false,
  args: ["--import", "@clew/instrumentation/correlation"],
};

export const OURS_ALL: Subject = {
  name: "clew, everything",
  isOurs: true,
  isTracing: true,
  args: ["--import", "@clew/instrumentation/register"],
};

/** Its README's `--require`, and for ES modules the loader of OpenTelemetry's "ESM support". */
export const OPENTELEMETRY: Subject = {
  name: "opentelemetry auto",
  isOurs: false,
  isTracing: true,
  args: [
    "--experimental-loader=@opentelemetry/instrumentation/hook.mjs",
    "--require=@opentelemetry/auto-instrumentations-node/register",
  ],
};

export const ELASTIC: Subject = {
  name: "elastic edot",
  isOurs: false,
  isTracing: true,
  args: ["--import", "@elastic/opentelemetry-node"],
};

export const SUBJECTS: readonly Subject[] = [BARE, OURS_IDS, OURS_ALL, OPENTELEMETRY, ELASTIC];

/** The same subjects, each round beginning with another, so that none always comes first. */
export function rotated(subjects: readonly Subject[], round: number): readonly Subject[] {
  const at = round % subjects.length;
  return [...subjects.slice(at), ...subjects.slice(0, at)];
}
