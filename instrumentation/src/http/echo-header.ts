import { ServerResponse } from "node:http";
import { HEADER } from "../wire-names.ts";

const ECHO = Symbol("clew.echo");
const ECHO_NAME = "X-Transaction-ID";
const RUN_NAME = "Clew-Run";

/** What a response tells its caller. */
interface Echo {
  readonly id: string;
  /** Undefined where the caller did not ask which run answers. */
  readonly runId: string | undefined;
}

interface Echoing extends ServerResponse {
  [ECHO]?: Echo;
}

/** The shapes Node takes headers in: an object, a flat list, or a list of pairs. */
type GivenHeaders = Readonly<Record<string, unknown>> | readonly unknown[] | null | undefined;

/** Node's own, which writes the head of a response as text: first line, then headers. */
type StoreHeader = (this: ServerResponse, firstLine: string, headers: GivenHeaders) => void;

let isInstalled = false;

/**
 * Puts our headers behind the status line when Node writes out the head of a response. `setHeader`
 * would cost several times as much, because with it Node leaves the short way for a response that
 * has no headers of its own; and what resets a response's headers (Koa does, after an error) would
 * take ours along. A header that the service sets itself stays the only one.
 */
export function installEcho(): void {
  const prototype = ServerResponse.prototype as { _storeHeader?: StoreHeader };
  const store = prototype._storeHeader;
  if (isInstalled || typeof store !== "function") return;
  isInstalled = true;
  prototype._storeHeader = function storeHeader(this: Echoing, firstLine, headers) {
    const echo = this[ECHO];
    if (echo === undefined) store.call(this, firstLine, headers);
    else store.call(this, firstLine + echoLines(echo, headers), headers);
  };
}

/** Tells the caller the transaction's ID and, where it asked, which run answered. */
export function setEcho(response: ServerResponse, echo: Echo): void {
  if (isInstalled) {
    (response as Echoing)[ECHO] = echo;
    return;
  }
  response.setHeader(ECHO_NAME, echo.id);
  if (echo.runId !== undefined) response.setHeader(RUN_NAME, echo.runId);
}

/** Our headers as text, without those that the service set itself. */
export function echoLines({ id, runId }: Echo, headers: GivenHeaders): string {
  let lines = hasHeader(headers, HEADER.transactionId) ? "" : `${ECHO_NAME}: ${id}\r\n`;
  if (runId !== undefined && !hasHeader(headers, HEADER.run)) lines += `${RUN_NAME}: ${runId}\r\n`;
  return lines;
}

function hasHeader(headers: GivenHeaders, wanted: string): boolean {
  if (headers === undefined || headers === null) return false;
  if (!Array.isArray(headers)) {
    for (const name in headers) if (isNamed(name, wanted)) return true;
    return false;
  }
  if (Array.isArray(headers[0])) return headers.some((pair) => isNamed(pair[0], wanted));
  for (let i = 0; i < headers.length; i += 2) if (isNamed(headers[i], wanted)) return true;
  return false;
}

function isNamed(name: unknown, wanted: string): boolean {
  return typeof name === "string" && name.length === wanted.length && name.toLowerCase() === wanted;
}
