import type { ServerResponse } from "node:http";
import { HEADER } from "../wire-names.ts";

const ECHO = Symbol("clew.echo");
const ECHO_NAME = "X-Transaction-ID";
const RUN_NAME = "Clew-Run";

/** What a response tells its caller. */
interface Echo {
  readonly id: string;
  /** Undefined where the caller did not ask which run answers, empty where it is not told. */
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
 * take ours along. An ID that the service sets itself stays the only one.
 */
export function installEcho(): void {
  // Not imported: IDs alone are no reason to load it into a program that never speaks HTTP.
  const http = process.getBuiltinModule("node:http");
  const prototype = http.ServerResponse.prototype as { _storeHeader?: StoreHeader };
  const store = prototype._storeHeader;
  if (isInstalled || typeof store !== "function") return;
  isInstalled = true;
  prototype._storeHeader = function storeHeader(this: Echoing, firstLine, headers) {
    const echo = this[ECHO];
    if (echo === undefined) return store.call(this, firstLine, headers);
    // A gateway that copies the headers of the answer it got must not pass for who answered it.
    if (echo.runId !== undefined && this.hasHeader(HEADER.run)) this.removeHeader(HEADER.run);
    const own = echo.runId === undefined ? headers : withoutHeader(headers, HEADER.run);
    store.call(this, firstLine + echoLines(echo, own), own);
  };
}

/** Tells the caller the transaction's ID and, where it asked, which run answered. */
export function setEcho(response: ServerResponse, echo: Echo): void {
  if (isInstalled) {
    (response as Echoing)[ECHO] = echo;
    return;
  }
  response.setHeader(ECHO_NAME, echo.id);
  if (echo.runId) response.setHeader(RUN_NAME, echo.runId);
}

/** Our headers as text, without an ID where the service set its own. */
export function echoLines({ id, runId }: Echo, headers: GivenHeaders): string {
  const idLine = hasHeader(headers, HEADER.transactionId) ? "" : `${ECHO_NAME}: ${id}\r\n`;
  return runId ? `${idLine}${RUN_NAME}: ${runId}\r\n` : idLine;
}

/** The same headers, or a copy of them without one. */
export function withoutHeader(headers: GivenHeaders, unwanted: string): GivenHeaders {
  if (!hasHeader(headers, unwanted)) return headers;
  if (!Array.isArray(headers)) {
    const kept = Object.entries(headers ?? {}).filter(([name]) => !isNamed(name, unwanted));
    return Object.fromEntries(kept);
  }
  if (Array.isArray(headers[0])) return headers.filter((pair) => !isNamed(pair[0], unwanted));
  return headers.filter((_, i) => !isNamed(headers[i - (i % 2)], unwanted));
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
