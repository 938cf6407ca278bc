import type { HostFilter } from "../http/host-filter.ts";
import { addOutboundIds } from "./outbound-ids.ts";

/** What is used of undici's request; version 5 keeps headers as text, later ones as a flat list. */
interface UndiciRequest {
  readonly origin?: unknown;
  readonly headers?: unknown;
  readonly addHeader?: unknown;
}

/**
 * Tells the IDs to whom `fetch` and undici call: the message of the channel
 * `undici:request:create`. A redirect is a request of its own there, so that the headers are
 * decided anew for each host and none leak to another.
 */
export function takeUndiciRequest(message: unknown, isAllowedHost: HostFilter): void {
  const { request } = message as { request?: UndiciRequest };
  const url = URL.parse(String(request?.origin));
  if (request === undefined || url === null) return;
  const { addHeader } = request;
  if (typeof addHeader !== "function") return;
  const own = headersOf(request.headers);
  addOutboundIds(
    {
      find: (name) => own.get(name),
      add: (name, value) => {
        addHeader.call(request, name, value);
      },
    },
    { host: url.hostname, isAllowedHost },
  );
}

/** Request headers by their lower-case names. */
function headersOf(headers: unknown): Map<string, string> {
  const found = new Map<string, string>();
  if (typeof headers === "string") {
    for (const line of headers.split("\r\n")) {
      const colon = line.indexOf(":");
      if (colon > 0) found.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
  } else if (Array.isArray(headers)) {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      found.set(textOf(headers[at]).toLowerCase(), textOf(headers[at + 1]));
    }
  }
  return found;
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : "";
}
