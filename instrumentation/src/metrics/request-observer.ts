/** One finished request, for the histograms of rate, errors and duration. */
export interface RequestFigures {
  /** `HTTP_METHOD` as semantic conventions bound it. */
  readonly method: string;
  /** Server side: the route's template, or undefined where no framework told it. */
  readonly route?: string | undefined;
  /** Client side: host and port that were called. */
  readonly peer?: string | undefined;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Undefined where it went well; else the low-cardinality `error.type`. */
  readonly errorType: string | undefined;
  /** Whether that error was expected (4xx of a server, `markExpected`). */
  readonly isExpected: boolean;
  readonly durationMs: number;
  readonly transactionId: string | undefined;
  /** Undefined where the span was not sampled: then it makes no exemplar. */
  readonly traceId: string | undefined;
}

export interface RequestObserver {
  server(figures: RequestFigures): void;
  client(figures: RequestFigures): void;
}

let current: RequestObserver | undefined;

/** Who counts requests, or undefined where nobody does: then the figures need not be made. */
export function findRequestObserver(): RequestObserver | undefined {
  return current;
}

export function setRequestObserver(observer: RequestObserver): void {
  current = observer;
}
