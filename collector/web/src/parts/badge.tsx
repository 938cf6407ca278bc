import type { TransactionStatus, Verdict } from "../../../src/record.ts";

const STATUS_LOOK: Readonly<Record<TransactionStatus, { mark: string; tone: string }>> = {
  running: { mark: "◔", tone: "blue" },
  completed: { mark: "✓", tone: "green" },
  failed: { mark: "✕", tone: "red" },
  compensated: { mark: "↺", tone: "amber" },
  "timed-out": { mark: "◷", tone: "red" },
};
const VERDICT_LOOK: Readonly<Record<Verdict, { mark: string; tone: string; meaning: string }>> = {
  complete: { mark: "●", tone: "green", meaning: "Every record that was made is here." },
  "in-flight": { mark: "◐", tone: "blue", meaning: "Some records are still on their way." },
  incomplete: { mark: "◌", tone: "red", meaning: "Records are known to be missing." },
  unknown: { mark: "○", tone: "grey", meaning: "Nobody can tell whether all are here." },
};

/** How the business operation ended. */
export function StatusBadge({ status }: { readonly status: TransactionStatus }) {
  const look = STATUS_LOOK[status] ?? { mark: "·", tone: "grey" };
  return <Badge {...look} text={status} title={`Status: the operation itself is ${status}`} />;
}

interface BadgeProps {
  readonly mark: string;
  readonly tone: string;
  readonly text: string;
  readonly title: string;
}

export function Badge({ mark, tone, text, title }: BadgeProps) {
  return (
    <span className={`badge tone-${tone}`} title={title}>
      <i aria-hidden="true">{mark}</i>
      {text}
    </span>
  );
}

interface VerdictBadgeProps {
  readonly verdict: Verdict;
  /** Why, where it is not told beside the badge. */
  readonly reason?: string;
}

/** Whether all records of the transaction are known to be here. */
export function VerdictBadge({ verdict, reason = "" }: VerdictBadgeProps) {
  const look = VERDICT_LOOK[verdict] ?? { mark: "·", tone: "grey", meaning: "" };
  return (
    <span
      className={`badge plain tone-${look.tone}`}
      title={`Records: ${verdict}. ${reason || look.meaning}`}
    >
      <i aria-hidden="true">{look.mark}</i>
      {verdict}
    </span>
  );
}
