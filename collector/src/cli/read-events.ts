export interface ServerSentEvent {
  /** `place` where it only moves the id to come back with. */
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

export const EVENT_CHARS_MAX = 64 * 1024 * 1024;

/**
 * Reads server-sent events (HTML Living Standard §9.2.6). A comment, as a heartbeat is, gives no
 * event.
 * @param onBytes called for everything that arrives.
 * @throws Error where one event is longer than `EVENT_CHARS_MAX`.
 */
export async function* readEvents(
  stream: ReadableStream<Uint8Array>,
  onBytes: () => void = () => undefined,
): AsyncGenerator<ServerSentEvent> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of stream) {
    onBytes();
    pending += decoder.decode(chunk, { stream: true });
    // A carriage return at the very end may be half of CR LF, so it waits for what follows.
    const blocks = pending.replaceAll("\r\n", "\n").split("\n\n");
    pending = blocks.pop() ?? "";
    for (const block of blocks) {
      const event = parseBlock(block);
      if (event) yield event;
    }
    if (pending.length > EVENT_CHARS_MAX) {
      throw new Error(`cannot read events: one is longer than ${EVENT_CHARS_MAX} characters`);
    }
  }
}

function parseBlock(block: string): ServerSentEvent | undefined {
  let event = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, field = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id") id = value;
  }
  if (data.length > 0) return { event, data: data.join("\n"), id };
  return id === undefined ? undefined : { event: "place", data: "", id };
}
