import { type RefObject, useLayoutEffect, useMemo, useState } from "react";
import { type RowLayout, type RowWindow, rowWindow } from "./row-window.ts";

/** Drawn beyond the view on either side, so that scrolling seldom shows empty rows. */
const OVERSCAN_PX = 600;
/** The view moves in steps of this, so that most scroll events draw nothing anew. */
const STEP_PX = 200;

/** Which rows of a list to draw, following the scrolling of the page. */
export function useRowWindow(list: RefObject<HTMLElement | null>, layout: RowLayout): RowWindow {
  const [view, setView] = useState({ fromPx: 0, toPx: innerHeight + OVERSCAN_PX });
  useLayoutEffect(() => {
    const measure = () => {
      if (list.current === null) return;
      const topPx = list.current.getBoundingClientRect().top;
      const fromPx = floorTo(-topPx - OVERSCAN_PX);
      const toPx = floorTo(-topPx + innerHeight + OVERSCAN_PX) + STEP_PX;
      setView((last) => (last.fromPx === fromPx && last.toPx === toPx ? last : { fromPx, toPx }));
    };
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(document.body);
    addEventListener("scroll", measure, { passive: true });
    addEventListener("resize", measure);
    return () => {
      resized.disconnect();
      removeEventListener("scroll", measure);
      removeEventListener("resize", measure);
    };
  }, [list]);
  return useMemo(() => rowWindow(layout, view), [layout, view]);
}

function floorTo(px: number): number {
  return Math.floor(px / STEP_PX) * STEP_PX;
}
