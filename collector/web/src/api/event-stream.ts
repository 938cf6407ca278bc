export interface StreamEvent {
  readonly event: string;
  readonly data: string;
  /** The last id the stream gave: where to go on after a break; empty before the first. */
  readonly lastEventId: string;
}

/** Longest event that is kept; a longer one ends the stream with an error. */
export const EVENT_CHARS_MAX = 4 * 1024 * 1024;

/**
 * Events of a `text/event-stream` (HTML Standard §9.2.6). `EventSource` is not used because it
 * cannot send a token.
 * @throws Error where one event is longer than EVENT_CHARS_MAX, or the stream breaks.
 */
export async function* readEventStream(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  const parser = new EventParser();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.releaseLock();
  }
}

/** Takes text in pieces of any length and gives the events that are whole. */
export class EventParser {
  #rest = "";
  #event = "";
  #id = "";
  #data: string[] = [];
  #dataChars = 0;
  #endedWithCr = false;

  push(text: string): StreamEvent[] {
    let fresh = text;
    if (this.#endedWithCr && fresh.startsWith("\n")) fresh = fresh.slice(1);
    if (fresh !== "") this.#endedWithCr = fresh.endsWith("\r");
    const lines = (this.#rest + fresh).split(/\r\n|\r|\n/);
    this.#rest = lines.pop() ?? "";
    const events: StreamEvent[] = [];
    for (const line of lines) this.#takeLine(line, events);
    if (this.#rest.length + this.#dataChars > EVENT_CHARS_MAX) {
      throw new Error(`cannot read the stream: an event is longer than ${EVENT_CHARS_MAX}`);
    }
    return events;
  }

  #takeLine(line: string, events: StreamEvent[]): void {
    if (line === "") {
      if (this.#data.length > 0) {
        events.push({
          event: this.#event || "message",
          data: this.#data.join("\n"),
          lastEventId: this.#id,
        });
      }
      this.#event = "";
      this.#data = [];
      this.#dataChars = 0;
      return;
    }
    const colon = line.indexOf(":");
    const name = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#event = value;
    if (name === "id") this.#id = value;
    if (name === "data") {
      this.#data.push(value);
      this.#dataChars += value.length;
    }
  }
}
