import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Problem } from "../src/query/problem.ts";
import { LettersHarness } from "./letters-harness.ts";

const BODY = { ids: ["a"], reason: "why" };
const ADMIN = { name: "anna", token: "secret-of-anna" };
const PERSON = { name: "bert", token: "secret-of-bert" };

let clew: LettersHarness;
beforeEach(async () => {
  clew = await LettersHarness.open();
});
afterEach(() => clew.stop());

describe("who may", () => {
  it.each<[string, object, string | undefined, number]>([
    ["anybody on loopback without tokens", {}, undefined, 200],
    ["an admin", { adminTokens: [ADMIN] }, ADMIN.token, 200],
    ["an admin beside others", { adminTokens: [ADMIN], queryTokens: [PERSON] }, ADMIN.token, 200],
    ["nobody without a token", { adminTokens: [ADMIN] }, undefined, 401],
    [
      "nobody who may only read",
      { adminTokens: [ADMIN], queryTokens: [PERSON] },
      PERSON.token,
      401,
    ],
    ["nobody where only readers have tokens", { queryTokens: [PERSON] }, PERSON.token, 401],
  ])("%s", async (_name, tokens, token, status) => {
    clew.config = { ...clew.config, ...tokens };
    const options = token === undefined ? {} : { token };
    expect((await clew.get("/dead-letters", options)).status).toBe(status);
    for (const act of ["replay", "discard"]) {
      const path = `/dead-letters/${act}`;
      expect((await clew.post(path, BODY, options)).status).toBe(status);
    }
    expect(clew.sent.length > 0).toBe(status === 200);
  });
});

describe("what a browser sends for a page of another's", () => {
  it.each<[string, Record<string, string>, number]>([
    ["a form", { "content-type": "text/plain" }, 415],
    ["a form with files", { "content-type": "multipart/form-data; boundary=x" }, 415],
    ["nothing said", { "content-type": "" }, 415],
    ["a script of another origin", { origin: "https://evil.example" }, 403],
    ["a sandboxed page", { origin: "null" }, 403],
    ["another port of this machine", { origin: "http://127.0.0.1:8080" }, 403],
    ["another site by its own account", { "sec-fetch-site": "cross-site" }, 403],
    ["a name that was bound here", { host: "evil.example", origin: "http://evil.example" }, 403],
  ])("is refused: %s", async (_name, headers, status) => {
    const response = await clew.post("/dead-letters/discard", BODY, { headers });
    expect(response.status).toBe(status);
    expect(clew.sent).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    ["the page's own", { origin: "http://127.0.0.1", "sec-fetch-site": "same-origin" }],
    ["a command's", { "content-type": "application/json; charset=utf-8" }],
  ])("is answered: %s", async (_name, headers) => {
    expect((await clew.post("/dead-letters/discard", BODY, { headers })).status).toBe(200);
  });
});

describe("a request that is not right", () => {
  it.each<[string, unknown, number, string]>([
    ["no JSON", "{", 400, "it is no JSON"],
    ["a list", [], 400, "no JSON object"],
    ["no letters", { reason: "x" }, 400, "exactly one of"],
    ["two ways to say which", { ids: ["a"], filter: {}, reason: "x" }, 400, "exactly one of"],
    ["no ids", { ids: [], reason: "x" }, 400, "1 to 500"],
    ["too many ids", { ids: Array.from({ length: 501 }, String), reason: "x" }, 400, "1 to 500"],
    ["ids that are none", { ids: [7], reason: "x" }, 400, "1 to 500"],
    ["a misspelt filter", { filter: { sevice: "a" }, reason: "x" }, 400, "sevice"],
    ["a state that is none", { filter: { state: "lost" }, reason: "x" }, 400, "state=lost"],
    ["a time that is none", { filter: { from: "now" }, reason: "x" }, 400, "from=now"],
    ["a limit beyond", { filter: {}, limit: 501, reason: "x" }, 400, "limit=501"],
    ["a long reason", { ids: ["a"], reason: "x".repeat(501) }, 400, "500 characters"],
    ["a reason that is none", { ids: ["a"], reason: 7 }, 400, "reason=7"],
    ["a discard without a reason", { ids: ["a"] }, 400, "without a reason"],
    ["a discard of what was edited", { id: "a", edited: {}, reason: "x" }, 400, "replay it"],
    ["an edit of several", { ids: ["a"], edited: {}, reason: "x" }, 400, "one `id`"],
    ["too much", { ids: ["x".repeat(17 * 1024 * 1024)], reason: "x" }, 413, "larger than"],
  ])("is told why: %s", async (_name, body, status, why) => {
    const response = await clew.post("/dead-letters/discard", body);
    const problem = (await response.json()) as Problem;
    expect(problem).toMatchObject({ status, detail: expect.stringContaining(why) });
    expect(response.status).toBe(status);
    expect(clew.sent).toEqual([]);
  });

  it.each([
    ["POST", "/dead-letters", 405],
    ["POST", "/dead-letters/a", 405],
    ["PUT", "/dead-letters/replay", 405],
    ["POST", "/logs", 405],
  ])("%s %s is answered %i", async (method, path, status) => {
    expect((await clew.send({ method, path, body: BODY })).status).toBe(status);
  });
});
