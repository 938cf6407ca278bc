import { type FormEvent, useEffect, useRef, useState } from "react";
import { keepToken, useSession } from "./session.ts";

/** Asks for a query token once the collector refused to answer without, or with the last one. */
export function TokenDialog() {
  const { token, isTokenAsked } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  useEffect(() => {
    if (isTokenAsked) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isTokenAsked]);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const given = text.trim();
    setText("");
    if (given !== "") keepToken(given);
  };
  return (
    <dialog ref={dialog} className="token" aria-labelledby="token-title">
      <form onSubmit={onSubmit}>
        <h2 id="token-title">This collector asks for a token</h2>
        {token === "" ? null : <p role="alert">The token you gave is not known here.</p>}
        <p>
          It is one of the query tokens the collector was started with. It is kept for this tab
          only, and sent to this collector only.
        </p>
        <label htmlFor="token">Query token</label>
        <input
          id="token"
          type="password"
          autoComplete="current-password"
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit">Continue</button>
      </form>
    </dialog>
  );
}
