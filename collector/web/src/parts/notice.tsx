import type { ReactNode } from "react";
import type { ApiError } from "../api/fetch-answer.ts";

interface NoticeProps {
  readonly title: string;
  readonly children?: ReactNode;
  readonly tone?: "plain" | "error";
}

/** What a page says where it has nothing to show, and what to do about it. */
export function Notice({ title, children, tone = "plain" }: NoticeProps) {
  return (
    <section className={`notice ${tone}`} role={tone === "error" ? "alert" : "status"}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

export function Loading({ what }: { readonly what: string }) {
  return (
    <p className="loading" role="status">
      <i aria-hidden="true" /> Loading {what}…
    </p>
  );
}

/** Why an answer did not come; the reader can ask again. */
export function Failure({
  error,
  onRetry,
}: {
  readonly error: ApiError;
  readonly onRetry: () => void;
}) {
  return (
    <Notice title={error.title} tone="error">
      {error.message === error.title ? null : <p>{error.message}</p>}
      <p>{adviceFor(error.status)}</p>
      <button type="button" onClick={onRetry}>
        Try again
      </button>
    </Notice>
  );
}

/** The one message of a collector that has stored nothing yet. */
export function NoRecordsYet() {
  return (
    <Notice title="No records yet">
      <p>Nothing was sent to this collector. Two commands that send some:</p>
      <dl className="commands">
        <dt>A first line, by hand</dt>
        <dd>
          <code>{'echo \'{"transaction_id":"first-1","message":"hello"}\' | npx clew ship'}</code>
        </dd>
        <dt>Everything a Node service does</dt>
        <dd>
          <code>node --import @clew/instrumentation/register app.js</code>
        </dd>
      </dl>
      <p>This page shows them within seconds, without a reload.</p>
    </Notice>
  );
}

function adviceFor(status: number): string {
  if (status === 0) {
    return "Is the collector still running? This page keeps what it showed, and can try again.";
  }
  if (status === 401) return "This collector asks for a query token.";
  if (status === 400) return "Change the filter or the search text, then try again.";
  if (status === 503) return "The store is busy or stopping; this often passes within seconds.";
  return "The collector's own log says more.";
}
