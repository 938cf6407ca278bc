import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import type { StoredRecord } from "../../../src/record.ts";
import { useMedia } from "../parts/use-media.ts";
import { useShortcuts } from "../parts/use-shortcuts.ts";
import { RecordRow } from "./record-row.tsx";
import { type RowLayout, rowTopPx } from "./row-window.ts";
import { useRowWindow } from "./use-row-window.ts";

export interface Jump {
  readonly recordId: string;
  /** Grows with each jump, so that the same record can be jumped to twice. */
  readonly round: number;
}

interface RecordListProps {
  readonly label: string;
  readonly records: readonly StoredRecord[];
  readonly colours: ReadonlyMap<string, number>;
  /** Time of the first column: offsets from this moment, or the clock where null. */
  readonly zeroMs: number | null;
  /** Lines of several transactions, each with a link to its own. */
  readonly showsTransaction?: boolean;
  readonly jump?: Jump | null;
}

/** Row heights as in styles/records.css: one line, and two on a narrow screen. */
const ROW_PX = 26;
const NARROW_ROW_PX = 48;
/** What the bars that stay on top of the page cover. */
const COVERED_PX = 120;

/**
 * Records in order, of which only those in view are drawn. j and k go through them, Enter or a
 * click opens one.
 */
export function RecordList(props: RecordListProps) {
  const { records, jump } = props;
  const list = useRef<HTMLOListElement>(null);
  const rowPx = useMedia("(max-width: 720px)") ? NARROW_ROW_PX : ROW_PX;
  const opened = useOpenedRows(records, rowPx);
  const window = useRowWindow(list, opened.layout);
  const cursor = useRowCursor(list, opened.layout);
  const doneRound = useRef(0);
  useEffect(() => {
    if (!jump || jump.round === doneRound.current) return;
    const row = records.findIndex(({ id }) => id === jump.recordId);
    // Not there yet: a filter that hid it is about to change, and this runs again.
    if (row === -1) return;
    doneRound.current = jump.round;
    opened.openInstead(jump.recordId);
    cursor.goTo(row);
  });
  const drawn = records.slice(window.first, window.end);
  return (
    <ol
      ref={list}
      className={`records ${props.showsTransaction ? "with-transaction" : ""}`}
      aria-label={props.label}
      style={{ height: window.totalPx, paddingTop: window.topPx }}
    >
      {drawn.map((record, i) => (
        <RecordRow
          key={record.id}
          record={record}
          row={window.first + i}
          count={records.length}
          colour={props.colours.get(record.service)}
          zeroMs={props.zeroMs}
          showsTransaction={props.showsTransaction ?? false}
          isOpen={opened.ids.has(record.id)}
          onToggle={opened.toggle}
          onFocus={cursor.onFocus}
          onHeight={opened.onHeight}
        />
      ))}
    </ol>
  );
}

/**
 * Which records are open and how tall, by id, since rows move as filters change. A jump closes what
 * the jump before it opened.
 */
function useOpenedRows(records: readonly StoredRecord[], rowPx: number) {
  const [heights, setHeights] = useState<ReadonlyMap<string, number>>(new Map());
  const toggle = useCallback((id: string) => {
    setHeights((last) => {
      const next = new Map(last);
      if (!next.delete(id)) next.set(id, 0);
      return next;
    });
  }, []);
  const jumpedTo = useRef("");
  const openInstead = useCallback((id: string) => {
    const before = jumpedTo.current;
    jumpedTo.current = id;
    setHeights((last) => {
      const next = new Map(last);
      next.delete(before);
      return next.set(id, last.get(id) ?? 0);
    });
  }, []);
  const onHeight = useCallback((id: string, px: number) => {
    setHeights((last) => (last.get(id) === px || !last.has(id) ? last : new Map(last).set(id, px)));
  }, []);
  const layout = useMemo<RowLayout>(() => {
    const extrasPx = new Map<number, number>();
    if (heights.size > 0) {
      for (const [row, { id }] of records.entries()) {
        const px = heights.get(id);
        if (px !== undefined) extrasPx.set(row, px);
      }
    }
    return { count: records.length, rowPx, extrasPx };
  }, [heights, records, rowPx]);
  return { ids: heights, layout, toggle, openInstead, onHeight };
}

/** The row the keyboard is at; it is focused once it is drawn. */
function useRowCursor(list: React.RefObject<HTMLOListElement | null>, layout: RowLayout) {
  const row = useRef(-1);
  const wanted = useRef(-1);
  const [, draw] = useState(0);
  const goTo = (next: number) => {
    row.current = Math.max(0, Math.min(next, layout.count - 1));
    wanted.current = row.current;
    draw((round) => round + 1);
  };
  useLayoutEffect(() => {
    if (wanted.current === -1 || list.current === null) return;
    // Only now is it known what opened and closed above the row.
    scrollToRow(list.current, rowTopPx(layout, wanted.current), layout.rowPx);
    const button = list.current.querySelector<HTMLElement>(`[data-row="${wanted.current}"]`);
    if (!button) return;
    wanted.current = -1;
    button.focus({ preventScroll: true });
  });
  useShortcuts({
    j: () => layout.count > 0 && goTo(row.current + 1),
    k: () => layout.count > 0 && goTo(row.current - 1),
  });
  const onFocus = useCallback((at: number) => {
    row.current = at;
  }, []);
  return { goTo, onFocus };
}

function scrollToRow(list: HTMLElement, rowTop: number, rowPx: number): void {
  const topPx = list.getBoundingClientRect().top + rowTop;
  const isInView = topPx > COVERED_PX && topPx + rowPx < innerHeight - rowPx;
  if (!isInView) scrollTo({ top: scrollY + topPx - innerHeight / 3 });
}
