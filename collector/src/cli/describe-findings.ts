import type { TransactionDetail } from "../query/transaction-view.ts";
import type { Finding } from "../query/verdict/finding.ts";
import { wrap } from "./safe-text.ts";
import type { Style, Terminal } from "./terminal.ts";

/** More are not read on a terminal; `--json` has them all. */
const SHOWN_MAX = 10;
const INDENT = 12;

/**
 * What a verdict rests on, below it: what is missing, what is in doubt, what is waited for. A
 * single one stands in the verdict's reason already.
 */
export function describeFindings(
  {
    verdictReason,
    missing,
    doubts,
    waiting,
  }: Pick<TransactionDetail, "verdictReason" | "missing" | "doubts" | "waiting">,
  page: Pick<Terminal, "columns" | "colour">,
): string[] {
  const isTold = ({ text }: Finding) => verdictReason.endsWith(text);
  const lines = (label: string, findings: readonly Finding[], style: Style) => {
    if (findings.every(isTold)) return [];
    const shown = findings.slice(0, SHOWN_MAX).map(({ text }) => text);
    if (findings.length > SHOWN_MAX) shown.push(`… and ${findings.length - SHOWN_MAX} more`);
    const { columns, colour } = page;
    return shown.flatMap((text, i) =>
      wrap(text, columns - INDENT).map((part, row) => {
        const name = i === 0 && row === 0 ? label : "";
        return `  ${colour("dim", name.padEnd(INDENT - 2))}${colour(style, part)}`;
      }),
    );
  };
  return [
    ...lines("missing", missing, "red"),
    ...lines("doubt", doubts, "yellow"),
    ...lines("waiting", waiting, "cyan"),
  ];
}
