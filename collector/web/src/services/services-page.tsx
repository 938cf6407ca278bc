import { useMemo, useState } from "react";
import type { Service, ServiceList } from "../api/fetch-answer.ts";
import { queryString } from "../api/query-string.ts";
import { useAnswer } from "../api/use-answer.ts";
import { formatAge, formatDuration } from "../format/format-duration.ts";
import { formatDayTime, timeMs } from "../format/format-time.ts";
import { TIME_RANGES } from "../logs/log-search.ts";
import { Choice } from "../parts/choice.tsx";
import { Failure, Loading, NoRecordsYet, Notice } from "../parts/notice.tsx";
import { ServiceName } from "../parts/service-name.tsx";
import { useDocumentTitle } from "../parts/use-document-title.ts";
import { useInterval } from "../parts/use-interval.ts";
import { Link, useFilters } from "../routing/navigation.tsx";

const REFRESH_MS = 10_000;
const MINUTE_MS = 60_000;

/** Rate, errors and durations of every operation that services answer. */
export function ServicesPage() {
  useDocumentTitle("Services");
  const [{ range }, change] = useFilters(["range"]);
  const windowMs = TIME_RANGES.find(({ value }) => value === range)?.ms ?? null;
  const [nowMs, setNowMs] = useState(Date.now);
  const from = windowMs === null ? null : new Date(nowMs - windowMs).toISOString();
  const { data, error, isLoading, reload } = useAnswer<ServiceList>(
    `/services${queryString({ from })}`,
  );
  useInterval(() => (windowMs === null ? reload() : setNowMs(Date.now())), REFRESH_MS);
  const services = data?.services ?? [];
  return (
    <>
      <form className="filters" aria-label="Services" onSubmit={(event) => event.preventDefault()}>
        <h1 className="filters-title">Services</h1>
        <Choice
          label="Time range"
          all="All days kept"
          value={range}
          options={TIME_RANGES}
          onChange={(value) => change({ range: value })}
        />
      </form>
      {error === undefined ? null : <Failure error={error} onRetry={reload} />}
      {services.length > 0 ? <ServiceTable services={services} windowMs={windowMs} /> : null}
      {data === undefined && isLoading ? <Loading what="services" /> : null}
      {data !== undefined && services.length === 0 ? (
        <NoServices isWindow={windowMs !== null} />
      ) : null}
    </>
  );
}

function NoServices({ isWindow }: { readonly isWindow: boolean }) {
  if (!isWindow) return <NoRecordsYet />;
  return (
    <Notice title="No service sent anything in this time">
      <p>Choose a longer time range.</p>
    </Notice>
  );
}

interface ServiceTableProps {
  readonly services: readonly Service[];
  readonly windowMs: number | null;
}

function ServiceTable({ services, windowMs }: ServiceTableProps) {
  const sorted = useMemo(
    () => services.toSorted((a, b) => a.service.localeCompare(b.service)),
    [services],
  );
  return (
    <div className="table-scroll">
      <table className="services-table">
        <caption className="unseen">
          Requests, errors and durations by service and operation
        </caption>
        <thead>
          <tr>
            <th scope="col">Service, operation</th>
            <th scope="col" className="number">
              {windowMs === null ? "Requests" : "Requests/min"}
            </th>
            <th scope="col" className="number">
              Errors
            </th>
            <th scope="col" className="number">
              p50
            </th>
            <th scope="col" className="number">
              p99
            </th>
            <th scope="col" className="number">
              Logs
            </th>
            <th scope="col" className="number">
              Last seen
            </th>
          </tr>
        </thead>
        {sorted.map((service) => (
          <ServiceRows key={service.service} service={service} windowMs={windowMs} />
        ))}
      </table>
    </div>
  );
}

function ServiceRows({
  service,
  windowMs,
}: {
  readonly service: Service;
  readonly windowMs: number | null;
}) {
  const { operations } = service;
  const count = operations.reduce((sum, operation) => sum + operation.count, 0);
  const errors = operations.reduce((sum, operation) => sum + operation.errors, 0);
  return (
    <tbody>
      <tr className="service-row">
        <th scope="rowgroup">
          <Link href={`/${queryString({ service: service.service })}`} title="Its transactions">
            <ServiceName service={service.service} />
          </Link>
        </th>
        <td className="number">{rate(count, windowMs)}</td>
        <ErrorCell errors={errors} count={count} />
        <td />
        <td />
        <td className="number">
          <Link href={`/logs${queryString({ service: service.service })}`}>
            {service.logs.toLocaleString("en")}
          </Link>
          {service.errorLogs > 0 ? (
            <Link
              className="tone-red"
              href={`/logs${queryString({ service: service.service, severity: "error" })}`}
            >
              {" "}
              {service.errorLogs.toLocaleString("en")} errors
            </Link>
          ) : null}
        </td>
        <td className="number" title={formatDayTime(timeMs(service.lastSeenAt))}>
          {formatAge(Date.now() - timeMs(service.lastSeenAt))}
        </td>
      </tr>
      {operations.map((operation) => (
        <tr key={operation.operation}>
          <th scope="row" className="operation">
            {operation.operation}
          </th>
          <td className="number">{rate(operation.count, windowMs)}</td>
          <ErrorCell errors={operation.errors} count={operation.count} />
          <td className="number">{formatDuration(operation.p50Ms)}</td>
          <td className="number">{formatDuration(operation.p99Ms)}</td>
          <td />
          <td />
        </tr>
      ))}
    </tbody>
  );
}

function ErrorCell({ errors, count }: { readonly errors: number; readonly count: number }) {
  if (errors === 0) return <td className="number faint">0</td>;
  const share = (100 * errors) / Math.max(count, 1);
  return (
    <td className="number tone-red">
      {errors.toLocaleString("en")}{" "}
      <span className="share">{share < 0.1 ? "<0.1" : share.toFixed(share < 10 ? 1 : 0)}%</span>
    </td>
  );
}

function rate(count: number, windowMs: number | null): string {
  if (windowMs === null) return count.toLocaleString("en");
  const perMinute = count / (windowMs / MINUTE_MS);
  return perMinute >= 10 ? perMinute.toFixed(0) : perMinute.toFixed(perMinute < 0.1 ? 2 : 1);
}
