import { expect, test } from "vitest";
import { ClewError } from "../../errors.ts";
import { elasticsearchStatus, toElasticsearchError } from "./elasticsearch-errors.ts";

/** As the client throws them: seen at servers of version 8.19 and 9.5. */
function thrown(name: string, message: string, answer?: { statusCode: number; body?: unknown }) {
  return Object.assign(new Error(message), { name, meta: { statusCode: 0, ...answer } });
}

function answered(statusCode: number, type: string, reason: string): Error {
  const body = { error: { type, reason }, status: statusCode };
  return thrown("ResponseError", `${type}\n\tRoot causes:\n\t\t${reason}`, { statusCode, body });
}

test.each<[string, Error, string, RegExp]>([
  [
    "no server",
    thrown("ConnectionError", "connect ECONNREFUSED 127.0.0.1:1"),
    "STORE_UNAVAILABLE",
    /^cannot search: Elasticsearch does not answer: connect ECONNREFUSED 127.0.0.1:1$/,
  ],
  [
    "a frozen one",
    thrown("TimeoutError", "Request timed out"),
    "STORE_UNAVAILABLE",
    /does not answer: Request timed out$/,
  ],
  [
    "http where it speaks TLS",
    thrown("ConnectionError", "other side closed - Local: 127.0.0.1:5, Remote: 127.0.0.1:6"),
    "STORE_UNAVAILABLE",
    /\(is it https in CLEW_ELASTICSEARCH_URL\?\)$/,
  ],
  [
    "an unknown authority",
    thrown("ConnectionError", "unable to verify the first certificate; if the root CA is"),
    "STORE_REFUSED",
    /no TLS connection to Elasticsearch: .*\(see CLEW_ELASTICSEARCH_CA\)$/,
  ],
  [
    "another name in the certificate",
    thrown("ConnectionError", "Hostname/IP does not match certificate's altnames: IP: 10.0.0.1"),
    "STORE_REFUSED",
    /altnames/,
  ],
  [
    "a wrong password",
    answered(401, "security_exception", "unable to authenticate user [clew]"),
    "STORE_REFUSED",
    /refuses CLEW_ELASTICSEARCH_API_KEY, or .*_USERNAME and .*: unable to auth.* user \[clew\]$/,
  ],
  [
    "a right that is lacking",
    answered(403, "security_exception", "action [indices:data/read/search] is unauthorized"),
    "STORE_REFUSED",
    /denies a right: action \[indices:data\/read\/search\]/,
  ],
  [
    "another product",
    thrown("ProductNotSupportedError", "The client noticed that the server is not Elasticsearch"),
    "STORE_REFUSED",
    /what answers at CLEW_ELASTICSEARCH_URL is not Elasticsearch$/,
  ],
  [
    "a full disk",
    answered(429, "cluster_block_exception", "index blocked: disk usage exceeded flood-stage"),
    "STORE_FULL",
    /disk usage exceeded/,
  ],
  [
    "too much to do",
    answered(429, "es_rejected_execution_exception", "rejected execution"),
    "STORE_UNAVAILABLE",
    /answers 429 es_rejected_execution_exception: rejected execution$/,
  ],
  [
    "an error as text",
    thrown("ResponseError", "{}", { statusCode: 405, body: { error: "Incorrect HTTP method" } }),
    "STORE_UNAVAILABLE",
    /answers 405: Incorrect HTTP method$/,
  ],
])("%s", (_name, error, code, message) => {
  const told = toElasticsearchError(error, "search");
  expect(told.code).toBe(code);
  expect(told.message).toMatch(message);
  expect(told.message).not.toContain("\n");
  expect(told.cause).toBe(error);
});

test("leaves our own errors alone, and takes whatever is thrown", () => {
  const own = new ClewError("STORE_STOPPED", "cannot search: it has stopped");
  expect(toElasticsearchError(own, "search")).toBe(own);
  expect(toElasticsearchError("text", "search").message).toContain("text");
  expect(elasticsearchStatus(answered(404, "index_not_found_exception", "no such index"))).toBe(
    404,
  );
  expect(elasticsearchStatus(new Error("socket"))).toBe(0);
});
