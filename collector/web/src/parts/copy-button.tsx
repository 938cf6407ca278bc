import { useEffect, useState } from "react";

const SAID_MS = 1500;

interface CopyButtonProps {
  readonly text: string | (() => string);
  readonly label: string;
}

/** Copies a text and says that it did, or that the browser does not allow it. */
export function CopyButton({ text, label }: CopyButtonProps) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (said === "") return;
    const timer = setTimeout(() => setSaid(""), SAID_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    const value = typeof text === "string" ? text : text();
    // Beyond loopback and without TLS the browser has no clipboard at all.
    if (navigator.clipboard === undefined) return setSaid("No clipboard here");
    navigator.clipboard.writeText(value).then(
      () => setSaid("Copied"),
      () => setSaid("Not allowed"),
    );
  };
  return (
    <button type="button" className="quiet" onClick={copy} title={label}>
      <span aria-live="polite">{said || label}</span>
    </button>
  );
}
