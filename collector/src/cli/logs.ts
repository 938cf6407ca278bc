import { readClientConfig } from "../config.ts";
import { findRfc3339, formatRfc3339 } from "../query/rfc3339.ts";
import type { StoredRecord } from "../record.ts";
import { trustCertificates } from "../tls-files.ts";
import { describeLogLine } from "./describe-log-line.ts";
import { followLogs } from "./follow-logs.ts";
import { QueryClient } from "./query-client.ts";
import { safeLine } from "./safe-text.ts";
import type { Terminal } from "./terminal.ts";
import { parseCommandLine, wrongUsage } from "./usage-error.ts";

const NS_PER_UNIT: Readonly<Record<string, bigint>> = {
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

const OPTIONS = {
  service: { type: "string" },
  severity: { type: "string" },
  since: { type: "string" },
  follow: { type: "boolean", short: "f" },
  reports: { type: "boolean" },
  limit: { type: "string" },
  json: { type: "boolean" },
  url: { type: "string" },
} as const;

interface LogPage {
  readonly records: readonly StoredRecord[];
  readonly cursor: string | null;
  readonly isCut: boolean;
}

const CUT =
  "the time limit ended the search: a word, --service or --since would leave less to look at";

/** `clew logs [query]`: exit code 0 found (or followed until Ctrl-C), 1 none. */
export async function logs(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseCommandLine({
    command: "logs",
    args,
    options: OPTIONS,
    positionalsMax: Number.POSITIVE_INFINITY,
  });
  if (values.follow && values.limit !== undefined) {
    throw wrongUsage("logs", "--limit and --follow do not go together");
  }
  const parameters = {
    q: positionals.join(" "),
    service: values.service,
    severity: values.severity,
    reports: values.reports ? "1" : undefined,
    from: readSince(values.since, BigInt(Date.now()) * 1_000_000n),
  };
  const config = readClientConfig();
  trustCertificates(config.trusted);
  const client = new QueryClient({ url: values.url, config });
  const show = (record: StoredRecord) =>
    terminal.print(values.json ? JSON.stringify(record) : describeLogLine(record, terminal.colour));
  if (values.follow) {
    await followLogs({ client, parameters, show, note: (text) => terminal.note(text) });
    return 0;
  }
  const page = await client.ask<LogPage>({
    path: "/logs",
    parameters: { ...parameters, limit: values.limit },
  });
  for (const record of page.records.toReversed()) show(record);
  if (page.isCut) terminal.note(CUT);
  else if (page.records.length === 0) terminal.note("no log matches");
  else if (page.cursor !== null && terminal.isInteractive) {
    terminal.note(`the newest ${page.records.length} are shown; see --limit and --since`);
  }
  return page.records.length > 0 ? 0 : 1;
}

/** `15m` before now, or a time: as the API takes it. */
export function readSince(
  text: string | undefined,
  nowNs: bigint,
  command = "logs",
): string | undefined {
  if (text === undefined) return undefined;
  const [, digits, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const unitNs = NS_PER_UNIT[unit ?? ""];
  if (digits !== undefined && unitNs !== undefined) {
    const ns = nowNs - BigInt(digits) * unitNs;
    return formatRfc3339(ns > 0n ? ns : 0n);
  }
  if (findRfc3339(text) !== undefined) return text;
  throw wrongUsage(
    command,
    `--since ${safeLine(text)} is neither 15m, 2h or 1d nor a time as in 2026-01-31T12:00:00Z`,
  );
}
