import type { TransactionDetail } from "../../../src/query/transaction-view.ts";
import { formatOffset } from "../format/format-duration.ts";
import { timeMs } from "../format/format-time.ts";
import { ServiceName } from "../parts/service-name.tsx";

interface FirstFailureProps {
  readonly transaction: TransactionDetail;
  readonly colours: ReadonlyMap<string, number>;
}

/** Where it first went wrong: what a person who was woken up looks for. */
export function FirstFailure({ transaction, colours }: FirstFailureProps) {
  const { hops, firstFailingHop, startedAt } = transaction;
  const hop = hops.find(({ id }) => id === firstFailingHop);
  if (hop === undefined) return null;
  const offset =
    hop.startedAt === null ? "" : formatOffset(timeMs(hop.startedAt) - timeMs(startedAt));
  return (
    <p className="first-failure" role="note">
      <b className="tone-red">✕ First failure</b>
      <span className="faint">{offset}</span>
      {hop.from === null ? null : (
        <span>
          <ServiceName service={hop.from} colour={colours.get(hop.from)} /> →
        </span>
      )}
      <ServiceName service={hop.to ?? "?"} colour={colours.get(hop.to ?? "")} />
      <span className="span-name">{hop.operation}</span>
      <b>{hop.error}</b>
    </p>
  );
}
