import { useEffect, useRef } from "react";

/** Calls `act` every `everyMs` while the page is visible; null pauses. */
export function useInterval(act: () => void, everyMs: number | null): void {
  const latest = useRef(act);
  useEffect(() => {
    latest.current = act;
  });
  useEffect(() => {
    if (everyMs === null) return;
    const timer = setInterval(() => {
      if (!document.hidden) latest.current();
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
}
