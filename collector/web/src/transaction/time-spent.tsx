import type { PathKind } from "../../../src/query/timing/critical-path.ts";
import type { ClockView, PathPartView } from "../../../src/query/timing/transaction-timing.ts";
import type { TransactionDetail } from "../../../src/query/transaction-view.ts";
import { formatDuration } from "../format/format-duration.ts";
import { ServiceName } from "../parts/service-name.tsx";
import { joinParts } from "./join-parts.ts";

interface TimeSpentProps {
  readonly transaction: TransactionDetail;
  readonly colours: ReadonlyMap<string, number>;
}

const PARTS_SHOWN = 6;
const KINDS: readonly PathKind[] = ["work", "network", "queue", "wait"];
const MEANING: Readonly<Record<PathKind, string>> = {
  work: "work",
  network: "on the way",
  queue: "waiting in a queue",
  wait: "nothing known",
};

/** Where the time went: the stretches but for which it would have been over sooner. */
export function TimeSpent({ transaction, colours }: TimeSpentProps) {
  const { criticalPath, pathMs, clocks, isCut } = transaction.timing;
  const wholeMs = KINDS.reduce((sum, kind) => sum + pathMs[kind], 0);
  if (wholeMs <= 0 || transaction.hops.length === 0) return null;
  const parts = joinParts(criticalPath).slice(0, PARTS_SHOWN);
  return (
    <section className="spent" aria-label="Where the time went">
      <h2>Where the time went</h2>
      <div className="spent-bar" aria-hidden="true">
        {KINDS.map((kind) => (
          <i key={kind} className={`spent-${kind}`} style={{ flexGrow: pathMs[kind] / wholeMs }} />
        ))}
      </div>
      <p className="spent-kinds">
        {KINDS.filter((kind) => pathMs[kind] > 0).map((kind) => (
          <span key={kind}>
            <i className={`spent-dot spent-${kind}`} aria-hidden="true" /> {MEANING[kind]}{" "}
            <b>{formatDuration(pathMs[kind])}</b>
            <span className="faint"> {percent(pathMs[kind], wholeMs)}</span>
          </span>
        ))}
      </p>
      <ol>
        {parts.map((part) => (
          <PartRow key={`${part.kind} ${part.spanId}`} {...{ part, wholeMs, colours }} />
        ))}
      </ol>
      {isCut ? <p className="faint">Only the longest stretches were looked at.</p> : null}
      {clocks.map((clock) => (
        <ClockLine key={clock.clock} clock={clock} />
      ))}
    </section>
  );
}

interface PartRowProps {
  readonly part: PathPartView;
  readonly wholeMs: number;
  readonly colours: ReadonlyMap<string, number>;
}

function PartRow({ part, wholeMs, colours }: PartRowProps) {
  return (
    <li>
      <b>{formatDuration(part.durationMs)}</b>
      <span className="faint">{percent(part.durationMs, wholeMs)}</span>
      <ServiceName service={part.service} colour={colours.get(part.service)} />
      <span className="span-name">
        {part.operation}
        {part.kind === "work" ? null : <span className="faint"> {MEANING[part.kind]}</span>}
      </span>
    </li>
  );
}

/** Times are shown as each service gave them; the sums above are by one clock. */
function ClockLine({ clock }: { readonly clock: ClockView }) {
  const { services, offsetMs, uncertaintyMs } = clock;
  const way = offsetMs > 0 ? "ahead" : "behind";
  const give = uncertaintyMs === null ? "at least " : "";
  const about = uncertaintyMs === null ? "" : ` ± ${formatDuration(uncertaintyMs)}`;
  return (
    <p className="tone-amber">
      The clock of {services.join(", ")} is {give}
      {formatDuration(Math.abs(offsetMs))}
      {about} {way}: taken off here, and nowhere else.
    </p>
  );
}

function percent(ms: number, wholeMs: number): string {
  const share = (100 * ms) / wholeMs;
  return share < 1 ? "< 1 %" : `${Math.round(share)} %`;
}
