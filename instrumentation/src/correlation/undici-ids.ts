import type { HostFilter } from "../http/host-filter.ts";
import { headersOf } from "../http/undici-headers.ts";
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
