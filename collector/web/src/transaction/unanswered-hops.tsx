import type { Hop } from "../../../src/query/hop.ts";
import { formatDuration, formatOffset } from "../format/format-duration.ts";
import { timeMs } from "../format/format-time.ts";
import { ServiceName } from "../parts/service-name.tsx";

interface UnansweredHopsProps {
  readonly hops: readonly Hop[];
  readonly startMs: number;
  readonly colours: ReadonlyMap<string, number>;
}

const HOPS_SHOWN = 5;

/** Calls of which the called side left no span: a service that is not traced, or a loss. */
export function UnansweredHops({ hops, startMs, colours }: UnansweredHopsProps) {
  const unanswered = hops.filter((hop) => !hop.answered && hop.kind !== "database");
  if (unanswered.length === 0) return null;
  const rest = unanswered.length - HOPS_SHOWN;
  return (
    <div className="unanswered">
      <h2>No span of the called side</h2>
      <ul>
        {unanswered.slice(0, HOPS_SHOWN).map((hop) => (
          <li key={hop.id}>
            <ServiceName service={hop.from ?? "?"} colour={colours.get(hop.from ?? "")} /> →{" "}
            {hop.to ?? "?"} <span className="span-name">{hop.operation}</span>
            <span className="faint">{whenAndHowLong(hop, startMs)}</span>
            {hop.error === null ? null : <b className="tone-red"> {hop.error}</b>}
          </li>
        ))}
        {rest > 0 ? <li className="faint">and {rest} more</li> : null}
      </ul>
    </div>
  );
}

function whenAndHowLong({ startedAt, durationMs }: Hop, startMs: number): string {
  if (startedAt === null) return ` ${formatDuration(durationMs)}`;
  return ` ${formatOffset(timeMs(startedAt) - startMs)}, ${formatDuration(durationMs)}`;
}
