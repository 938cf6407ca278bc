import { LOG_FIELD_TRANSACTION_ID } from "../wire-names.ts";
import type { Exemplar, Sample } from "./metric-source.ts";

/** Buckets in seconds that semantic conventions advise for HTTP ("HTTP metrics"). */
export const REQUEST_BUCKETS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** OpenMetrics 1.0, "Exemplars": what Grafana and others link from. */
const EXEMPLAR_TRACE = "trace_id";

/** Which request is to stand for its bucket. */
interface Example {
  transactionId: string | undefined;
  traceId: string;
  seconds: number;
  unixMs: number;
}

/** Durations of one series, counted by bucket: plain numbers, no object per request. */
export class DurationHistogram {
  readonly #bounds: readonly number[];
  /** One more than bounds: the last one counts what is over all of them. */
  readonly #counts: number[];
  readonly #examples: (Example | undefined)[];
  #sum = 0;
  #count = 0;

  constructor(bounds: readonly number[] = REQUEST_BUCKETS) {
    this.#bounds = bounds;
    this.#counts = new Array(bounds.length + 1).fill(0);
    this.#examples = new Array(bounds.length + 1).fill(undefined);
  }

  /** @param trace of a request that was sampled: it becomes its bucket's exemplar */
  observe(seconds: number, trace?: { id: string; transactionId: string | undefined }): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && seconds > (bounds[bucket] ?? 0)) bucket++;
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += seconds;
    this.#count++;
    if (trace === undefined) return;
    const example = this.#examples[bucket];
    const { id, transactionId } = trace;
    if (example === undefined) {
      this.#examples[bucket] = { transactionId, traceId: id, seconds, unixMs: Date.now() };
      return;
    }
    example.transactionId = transactionId;
    example.traceId = id;
    example.seconds = seconds;
    example.unixMs = Date.now();
  }

  /** Its lines, in the order that OpenMetrics asks for. */
  samples(labels: Readonly<Record<string, string>>): Sample[] {
    const samples: Sample[] = [];
    let below = 0;
    for (const [index, count] of this.#counts.entries()) {
      below += count;
      const exemplar = exemplarOf(this.#examples[index]);
      const le = formatBound(this.#bounds[index]);
      const own = { suffix: "_bucket", labels: { ...labels, le }, value: below };
      samples.push(exemplar === undefined ? own : { ...own, exemplar });
    }
    samples.push({ suffix: "_sum", labels, value: this.#sum });
    samples.push({ suffix: "_count", labels, value: this.#count });
    return samples;
  }
}

/**
 * Names and values of an exemplar's labels may have 128 characters in all: these have 22, the
 * trace ID 32 and a transaction ID at most 64.
 */
function exemplarOf(example: Example | undefined): Exemplar | undefined {
  if (example === undefined) return undefined;
  const { traceId, transactionId, seconds, unixMs } = example;
  const labels: Record<string, string> = { [EXEMPLAR_TRACE]: traceId };
  if (transactionId !== undefined) labels[LOG_FIELD_TRANSACTION_ID] = transactionId;
  return { labels, value: seconds, unixSeconds: unixMs / 1000 };
}

/** A whole number needs its `.0` in OpenMetrics ("Canonical Numbers"). */
function formatBound(bound: number | undefined): string {
  if (bound === undefined) return "+Inf";
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}
