import { useState } from "react";
import type { Compensation, Step } from "../../../src/query/derive-steps.ts";
import type { TransactionDetail } from "../../../src/query/transaction-view.ts";
import { formatDuration, formatOffset } from "../format/format-duration.ts";
import { timeMs } from "../format/format-time.ts";
import { Badge } from "../parts/badge.tsx";
import { ServiceName } from "../parts/service-name.tsx";

interface StepsProps {
  readonly transaction: TransactionDetail;
  readonly colours: ReadonlyMap<string, number>;
}

const STEPS_SHOWN = 12;
const LOOK: Readonly<Record<Step["status"] | "never ended", { mark: string; tone: string }>> = {
  running: { mark: "◔", tone: "blue" },
  done: { mark: "✓", tone: "green" },
  failed: { mark: "✕", tone: "red" },
  compensated: { mark: "↺", tone: "amber" },
  "never ended": { mark: "◷", tone: "red" },
};

/** What services told of the steps: which were done, which failed, what was undone. */
export function Steps({ transaction, colours }: StepsProps) {
  const [isWhole, setIsWhole] = useState(false);
  const { steps } = transaction;
  if (steps.length === 0) return null;
  const shown = isWhole ? steps : steps.slice(0, STEPS_SHOWN);
  const zeroMs = timeMs(transaction.startedAt);
  const isOver = transaction.status !== "running";
  return (
    <section className="steps" aria-label="Steps">
      <h2>Steps</h2>
      <ol>
        {shown.map((step, i) => {
          const place = `${step.startedAt} ${step.service} ${step.name} ${i}`;
          return <StepRow key={place} {...{ step, zeroMs, isOver, colours }} />;
        })}
      </ol>
      {steps.length > shown.length ? (
        <button type="button" className="more" onClick={() => setIsWhole(true)}>
          Show all {steps.length.toLocaleString("en")} steps
        </button>
      ) : null}
    </section>
  );
}

interface StepRowProps {
  readonly step: Step;
  readonly zeroMs: number;
  /** The transaction has ended: what still runs then never ended. */
  readonly isOver: boolean;
  readonly colours: ReadonlyMap<string, number>;
}

function StepRow({ step, zeroMs, isOver, colours }: StepRowProps) {
  const { name, service, compensation, error } = step;
  const status = step.status === "running" && isOver ? "never ended" : step.status;
  const offset = formatOffset(timeMs(step.startedAt) - zeroMs);
  return (
    <li>
      <Badge {...LOOK[status]} text={status} title={`Step ${name}: ${status}`} />
      <b className="step-name">{name}</b>
      <ServiceName service={service} colour={colours.get(service)} />
      <span className="step-time">
        {step.durationMs ? `${offset}, took ${formatDuration(step.durationMs)}` : offset}
      </span>
      <span className="step-outcome">
        {error === null ? null : <span className="tone-red">{error}</span>}
        {compensation === null ? null : <Undoing {...{ step, compensation, zeroMs, isOver }} />}
      </span>
    </li>
  );
}

function Undoing(props: Omit<StepRowProps, "colours"> & { readonly compensation: Compensation }) {
  const { step, compensation, zeroMs, isOver } = props;
  const { status, service, startedAt, error } = compensation;
  const by = service === step.service ? "" : ` by ${service}`;
  const at = formatOffset(timeMs(startedAt) - zeroMs);
  if (status === "done") return <span className="step-time">{`undone${by} at ${at}`}</span>;
  if (status === "running" && !isOver) {
    return <span className="step-time">{`is being undone${by} since ${at}`}</span>;
  }
  const outcome = status === "failed" ? "failed" : "never ended";
  return (
    <span className="tone-red">
      {`compensation${by} at ${at} ${outcome}${error === null ? "" : `: ${error}`}`}
    </span>
  );
}
