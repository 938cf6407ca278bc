/** Where the store lies in Elasticsearch; what is not there yet holds nothing. */
export interface StoreStreams {
  readonly logs: string;
  readonly traces: string;
  readonly deadLetters: string;
}

export function recordsIndex({ logs, traces }: StoreStreams): string {
  return `${logs},${traces}`;
}

export function allStreams({ logs, traces, deadLetters }: StoreStreams): string {
  return `${logs},${traces},${deadLetters}`;
}
