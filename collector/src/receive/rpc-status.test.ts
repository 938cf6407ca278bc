import { expect, test } from "vitest";
import { readJsonAnswer, readStatus } from "../../test/otlp-answer.ts";
import { ClewError, type ErrorCode } from "../errors.ts";
import { encodeRpcStatus, rpcStatusJson } from "./rpc-status.ts";

const BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest";
const RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo";
const MESSAGE = "cannot read the protobuf: größer als drei";

test.each<[ErrorCode, readonly string[], readonly string[]]>([
  ["REQUEST_MALFORMED", [BAD_REQUEST], [MESSAGE]],
  ["BUS_OVERLOADED", [RETRY_INFO], []],
  ["BUS_UNAVAILABLE", [RETRY_INFO], []],
  ["REQUEST_TOO_LARGE", [], []],
  ["UNAUTHENTICATED", [], []],
  ["INTERNAL", [], []],
])("%s: the same in protobuf and JSON, with the details %j", (code, details, violations) => {
  const error = new ClewError(code, MESSAGE);
  const wanted = { message: MESSAGE, details, violations };
  expect(readStatus(encodeRpcStatus(error))).toEqual(wanted);
  const json = Buffer.from(JSON.stringify(rpcStatusJson(error)));
  expect(readJsonAnswer(json, false)).toEqual(wanted);
});
