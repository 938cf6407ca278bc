import { useState } from "react";
import type { TransactionDetail } from "../../../src/query/transaction-view.ts";
import type { Finding } from "../../../src/query/verdict/finding.ts";
import { formatAge } from "../format/format-duration.ts";
import { formatNearTime, timeMs } from "../format/format-time.ts";
import { VerdictBadge } from "../parts/badge.tsx";

/** Of each kind; the rest is a click away. */
const SHOWN_AT_FIRST = 5;

interface VerdictPanelProps {
  readonly transaction: TransactionDetail;
}

/** Whether all records are here; and where not, what is missing, where, and since when. */
export function VerdictPanel({ transaction }: VerdictPanelProps) {
  const { verdict, verdictReason, missing, doubts, waiting, isCut } = transaction;
  const hasFindings = missing.length + doubts.length + waiting.length > 0;
  return (
    <div className="head-verdict">
      <span className="verdict-line">
        <span className="faint">Records</span> <VerdictBadge verdict={verdict} />
        {hasFindings ? null : <span className="verdict-reason">{verdictReason}</span>}
      </span>
      {hasFindings ? (
        <section className="findings" aria-label="What the verdict rests on">
          <Findings name="◌ Missing" tone="red" findings={missing} />
          <Findings name="○ In doubt" tone="amber" findings={doubts} />
          <Findings name="◐ Waiting for" tone="blue" findings={waiting} />
        </section>
      ) : null}
      {isCut ? <p>Too many spans to look at all of them: hops below may not be all.</p> : null}
    </div>
  );
}

interface FindingsProps {
  readonly name: string;
  readonly tone: string;
  readonly findings: readonly Finding[];
}

function Findings({ name, tone, findings }: FindingsProps) {
  const [isWhole, setIsWhole] = useState(false);
  if (findings.length === 0) return null;
  const shown = isWhole ? findings : findings.slice(0, SHOWN_AT_FIRST);
  const left = findings.length - shown.length;
  return (
    <>
      <h2 className={`tone-${tone}`}>{name}</h2>
      <div>
        <ul>
          {shown.map((finding) => (
            <li key={keyOf(finding)}>
              <Sentence text={finding.text} />
              <Since finding={finding} />
            </li>
          ))}
        </ul>
        {left > 0 ? (
          <button type="button" className="quiet" onClick={() => setIsWhole(true)}>
            {left} more
          </button>
        ) : null}
      </div>
    </>
  );
}

/** What stands between backticks is a name. */
function Sentence({ text }: { readonly text: string }) {
  const parts = text.split("`").map((part, at) => ({ part, at, isName: at % 2 === 1 }));
  return (
    <span>
      {parts.map(({ part, at, isName }) => (isName ? <code key={at}>{part}</code> : part))}
    </span>
  );
}

/** A gap tells its times itself. */
function Since({ finding: { since, until } }: { readonly finding: Finding }) {
  if (since === null || until !== null) return null;
  const sinceMs = timeMs(since);
  const nowMs = Date.now();
  return (
    <time className="faint" dateTime={since}>
      since {formatNearTime(sinceMs, nowMs)}, {formatAge(nowMs - sinceMs)}
    </time>
  );
}

function keyOf({ what, runId, spanId, since, text }: Finding): string {
  return JSON.stringify([what, runId, spanId, since, text]);
}
