import { useEffect, useMemo, useRef, useState } from "react";
import { Failure } from "../parts/notice.tsx";
import { serviceColours } from "../parts/service-colours.ts";
import { useDebounced } from "../parts/use-debounced.ts";
import { RecordList } from "../record/record-list.tsx";
import { type LogSearch, tailQuery } from "./log-search.ts";
import { TAIL_LINES_MAX } from "./tail-lines.ts";
import { useTail } from "./use-tail.ts";

const TYPING_PAUSE_MS = 400;

interface LogTailProps {
  readonly search: LogSearch;
  readonly isPaused: boolean;
}

/** Logs as they come, newest on top; they stand still while paused or pointed at. */
export function LogTail({ search, isPaused }: LogTailProps) {
  const [isPointedAt, setIsPointedAt] = useState(false);
  const isHeld = useRef(false);
  const query = useDebounced(tailQuery(search), TYPING_PAUSE_MS);
  const [attempt, setAttempt] = useState(0);
  const { lines, error, release } = useTail(`/logs/tail${query}${"#".repeat(attempt)}`, isHeld);
  useEffect(() => {
    isHeld.current = isPaused || isPointedAt;
    if (!isHeld.current) release();
  }, [isPaused, isPointedAt, release]);
  const colours = useMemo(() => serviceColours(lines.shown.map((r) => r.service)), [lines.shown]);
  return (
    <section aria-label="Live tail">
      {error === undefined ? null : (
        <Failure error={error} onRetry={() => setAttempt((last) => last + 1)} />
      )}
      <p className="tail-state" role="status">
        {stateText({
          waiting: lines.waiting.length,
          skipped: lines.skipped,
          isPaused,
          isPointedAt,
        })}
        {lines.shown.length === TAIL_LINES_MAX
          ? ` The newest ${TAIL_LINES_MAX} lines are kept here.`
          : null}
      </p>
      <div
        onPointerEnter={(event) => setIsPointedAt(event.pointerType === "mouse")}
        onPointerLeave={() => setIsPointedAt(false)}
      >
        <RecordList
          label="Log lines as they come, newest first"
          records={lines.shown}
          colours={colours}
          zeroMs={null}
          showsTransaction
        />
      </div>
    </section>
  );
}

interface TailState {
  readonly waiting: number;
  readonly skipped: number;
  readonly isPaused: boolean;
  readonly isPointedAt: boolean;
}

function stateText({ waiting, skipped, isPaused, isPointedAt }: TailState): string {
  const skippedText = skipped > 0 ? `, ${skipped} older ones only in the store` : "";
  if (isPaused) return `Paused, ${waiting} waiting${skippedText}.`;
  if (isPointedAt && waiting > 0)
    return `Held under the pointer, ${waiting} waiting${skippedText}.`;
  return "Following: new lines come on top.";
}
