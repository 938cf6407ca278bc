import { type ClipboardEvent, type FormEvent, useEffect, useRef, useState } from "react";
import { isTyping, useShortcuts } from "../parts/use-shortcuts.ts";
import { navigate } from "../routing/navigation.tsx";
import { transactionPath } from "../routing/route.ts";
import { findTransactionId } from "./find-transaction-id.ts";

/**
 * Finds a transaction by an ID, typed or within any pasted text. A paste anywhere on the page
 * counts, so that a log line from a chat leads to its transaction in one key press.
 */
export function FindBox() {
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [isMissed, setIsMissed] = useState(false);
  useShortcuts({ "/": () => input.current?.select() });
  const goTo = (id: string) => {
    setText("");
    setIsMissed(false);
    input.current?.blur();
    navigate(transactionPath(id));
  };
  usePasteAnywhere(goTo);
  const onPaste = (event: ClipboardEvent) => {
    const found = findTransactionId(event.clipboardData.getData("text"));
    if (!found?.isCertain) return;
    event.preventDefault();
    goTo(found.id);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const found = findTransactionId(text);
    if (found !== undefined) goTo(found.id);
    else setIsMissed(text.trim() !== "");
  };
  return (
    <search className="find">
      <form onSubmit={onSubmit}>
        <label htmlFor="find-id" className="unseen">
          Find a transaction by its ID
        </label>
        <input
          ref={input}
          id="find-id"
          type="text"
          placeholder="Find: a transaction ID, or any text with one in it"
          autoComplete="off"
          spellCheck={false}
          enterKeyHint="go"
          value={text}
          aria-invalid={isMissed}
          aria-describedby={isMissed ? "find-missed" : undefined}
          onPaste={onPaste}
          onKeyDown={(event) => event.key === "Escape" && input.current?.blur()}
          onChange={(event) => {
            setText(event.target.value);
            setIsMissed(false);
          }}
        />
        <span className="key" aria-hidden="true">
          /
        </span>
      </form>
      {isMissed ? <Missed text={text} onLeave={() => setIsMissed(false)} /> : null}
    </search>
  );
}

function Missed({ text, onLeave }: { readonly text: string; readonly onLeave: () => void }) {
  const searchLogs = () => {
    onLeave();
    navigate(`/logs?${new URLSearchParams({ q: text.trim() })}`);
  };
  return (
    <div className="find-missed" id="find-missed" role="alert">
      There is no ID in that text.{" "}
      <button type="button" className="link" onClick={searchLogs}>
        Search the logs for it
      </button>
    </div>
  );
}

function usePasteAnywhere(goTo: (id: string) => void): void {
  const latest = useRef(goTo);
  useEffect(() => {
    latest.current = goTo;
  });
  useEffect(() => {
    const onPaste = (event: globalThis.ClipboardEvent) => {
      if (isTyping(event.target)) return;
      const found = findTransactionId(event.clipboardData?.getData("text") ?? "");
      if (found !== undefined) latest.current(found.id);
    };
    document.addEventListener("paste", onPaste);
    return () => document.removeEventListener("paste", onPaste);
  }, []);
}
