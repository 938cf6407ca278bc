import type { Attributes, StoredRecord, StoredSpan } from "../../../src/record.ts";
import { formatDuration, formatOffset } from "../format/format-duration.ts";
import { timeMs } from "../format/format-time.ts";
import { CopyButton } from "../parts/copy-button.tsx";
import { Link } from "../routing/navigation.tsx";
import { transactionPath } from "../routing/route.ts";
import { flatValues } from "./flat-values.ts";

/** All that is known of one record. Every value is text: senders may put anything in it. */
export function RecordDetail({ record }: { readonly record: StoredRecord }) {
  return (
    <div className="detail">
      <div className="detail-head">
        <pre className="detail-message">{record.message || "(no message)"}</pre>
        <CopyButton label="Copy JSON" text={() => JSON.stringify(record, null, 2)} />
      </div>
      {record.span === null ? null : <SpanFacts record={record} span={record.span} />}
      <div className="detail-columns">
        <Values title="Attributes" values={record.attributes} />
        <div>
          <Facts record={record} />
          <Values title="Resource" values={record.resource} />
        </div>
      </div>
      {record.body !== null && typeof record.body === "object" ? (
        <>
          <h4>Body</h4>
          <pre>{JSON.stringify(record.body, null, 2)}</pre>
        </>
      ) : null}
    </div>
  );
}

function Facts({ record }: { readonly record: StoredRecord }) {
  const id = record.transactionId;
  const facts: readonly [name: string, value: React.ReactNode][] = [
    [
      "transaction",
      id === null ? null : (
        <Link key="link" href={transactionPath(id)}>
          {id}
        </Link>
      ),
    ],
    ["trace ID", record.traceId],
    ["span ID", record.spanId],
    ["parent span", record.parentSpanId],
    ["time", record.time],
    ["received", record.receivedAt],
    ["severity", record.span ? null : `${record.severityText} (${record.severityNumber})`],
    ["scope", record.scope],
    ["record ID", record.id],
  ];
  return (
    <section>
      <h4>Record</h4>
      <dl className="values">
        {facts
          .filter(([, value]) => value !== null && value !== "")
          .map(([name, value]) => (
            <Value key={name} name={name} value={value} />
          ))}
      </dl>
    </section>
  );
}

function SpanFacts({ record, span }: { readonly record: StoredRecord; readonly span: StoredSpan }) {
  const startMs = timeMs(record.time);
  return (
    <section>
      <p className="span-summary">
        {span.kind} span, {formatDuration(span.durationMs)}, status {span.status}
        {span.statusMessage ? `: ${span.statusMessage}` : ""}
      </p>
      {span.events.map((event, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: events never change and may repeat.
        <div className="span-event" key={i}>
          <h4>
            {formatOffset(timeMs(event.time) - startMs)} {event.name}
          </h4>
          <ValueList values={event.attributes} />
        </div>
      ))}
      {span.links.map((link) => (
        <p key={`${link.traceId}:${link.spanId}`}>
          Linked to span <code>{link.spanId}</code> of trace <code>{link.traceId}</code>
        </p>
      ))}
    </section>
  );
}

function Values({ title, values }: { readonly title: string; readonly values: Attributes }) {
  return (
    <section>
      <h4>{title}</h4>
      {Object.keys(values).length === 0 ? (
        <p className="faint">none</p>
      ) : (
        <ValueList values={values} />
      )}
    </section>
  );
}

function ValueList({ values }: { readonly values: Attributes }) {
  return (
    <dl className="values">
      {flatValues(values).map(([name, value]) => (
        <Value key={name} name={name} value={value} />
      ))}
    </dl>
  );
}

function Value({ name, value }: { readonly name: string; readonly value: React.ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
