/** The body of `POST /dead-letters/replay` and `/discard`. */
import { ClewError } from "../../errors.ts";
import {
  DEAD_LETTER_ACTS,
  type DeadLetterFilter,
  type DeadLetterState,
} from "../../store/dead-letter.ts";
import { given, invalidParameter } from "../parameters.ts";
import { findRfc3339 } from "../rfc3339.ts";

export interface ActRequest {
  readonly letters:
    | { readonly ids: readonly string[] }
    | { readonly filter: Omit<DeadLetterFilter, "limit">; readonly limit: number };
  /** Why, in the person's own words. */
  readonly reason: string;
  readonly dryRun: boolean;
  /** OTLP/JSON as an object, or protobuf in base64: what is sent in the one letter's place. */
  readonly edited: object | string | undefined;
}

/** One request acts upon so many at most; its answer says how to go on. */
export const LETTERS_PER_ACT_MAX = 500;
const LETTERS_PER_ACT_DEFAULT = 100;
const REASON_CHARACTERS_MAX = 500;
const TEXT_CHARACTERS_MAX = 1024;
const STATES: readonly DeadLetterState[] = ["open", ...DEAD_LETTER_ACTS];
const MEMBERS = ["ids", "id", "filter", "limit", "reason", "dryRun", "edited"];
const FILTER_MEMBERS = ["state", "reason", "service", "transaction", "from", "to", "cursor"];

type Members = Readonly<Record<string, unknown>>;

/** @throws ClewError REQUEST_MALFORMED, PARAMETER_INVALID */
export function parseActRequest(body: Buffer): ActRequest {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch (cause) {
    throw new ClewError("REQUEST_MALFORMED", "cannot read the request: it is no JSON", { cause });
  }
  const members = checkMembers(value, { of: "the request", known: MEMBERS });
  const reason = textOf(members, "reason", REASON_CHARACTERS_MAX) ?? "";
  const { edited } = members;
  const isEdited = edited !== undefined && edited !== null;
  if (isEdited && (typeof members.id !== "string" || !isContent(edited))) {
    const allowed = "an object of OTLP/JSON or protobuf in base64, together with one `id`";
    throw invalidParameter({ name: "edited", value: String(edited), allowed });
  }
  return {
    letters: lettersOf(members),
    reason,
    dryRun: members.dryRun === true,
    edited: isEdited && isContent(edited) ? edited : undefined,
  };
}

function isContent(value: unknown): value is object | string {
  return typeof value === "string" || (typeof value === "object" && !Array.isArray(value));
}

function lettersOf(members: Members): ActRequest["letters"] {
  const { id, ids, filter } = members;
  const ways = [id, ids, filter].filter((way) => way !== undefined);
  if (ways.length !== 1) {
    const allowed = "exactly one of `id`, `ids` and `filter`";
    throw invalidParameter({ name: "letters", value: `${ways.length} of them`, allowed });
  }
  if (filter !== undefined) return { filter: filterOf(filter), limit: limitOf(members.limit) };
  const all: unknown = id === undefined ? ids : [id];
  const isList = Array.isArray(all) && all.every((each) => typeof each === "string");
  if (!isList || all.length < 1 || all.length > LETTERS_PER_ACT_MAX) {
    const allowed = `a list of 1 to ${LETTERS_PER_ACT_MAX} ids`;
    throw invalidParameter({ name: "ids", value: JSON.stringify(all), allowed });
  }
  return { ids: [...new Set<string>(all)] };
}

/** Only open letters where the filter does not say which: what was dealt with stays that. */
function filterOf(value: unknown): Omit<DeadLetterFilter, "limit"> {
  const members = checkMembers(value, { of: "the filter", known: FILTER_MEMBERS });
  const text = (name: string) => textOf(members, name, TEXT_CHARACTERS_MAX);
  return {
    state: stateOf(text("state")),
    ...given("reason", text("reason")),
    ...given("service", text("service")),
    ...given("transactionId", text("transaction")),
    ...given("fromNs", timeOf(members, "from")),
    ...given("toNs", timeOf(members, "to")),
    ...given("cursor", text("cursor")),
  };
}

function stateOf(text: string | undefined): DeadLetterState {
  const state = STATES.find((known) => known === (text ?? "open"));
  if (state !== undefined) return state;
  throw invalidParameter({ name: "state", value: text ?? "", allowed: STATES.join(", ") });
}

function timeOf(members: Members, name: string): bigint | undefined {
  const text = textOf(members, name, TEXT_CHARACTERS_MAX);
  if (text === undefined) return undefined;
  const timeNs = findRfc3339(text);
  if (timeNs !== undefined) return timeNs;
  const allowed = "an RFC 3339 time, as in 2026-01-31T12:00:00Z";
  throw invalidParameter({ name, value: text, allowed });
}

function limitOf(value: unknown): number {
  if (value === undefined) return LETTERS_PER_ACT_DEFAULT;
  const isNumber = typeof value === "number" && Number.isInteger(value);
  if (isNumber && value >= 1 && value <= LETTERS_PER_ACT_MAX) return value;
  const allowed = `a whole number from 1 to ${LETTERS_PER_ACT_MAX}`;
  throw invalidParameter({ name: "limit", value: JSON.stringify(value), allowed });
}

function textOf(members: Members, name: string, charactersMax: number): string | undefined {
  const value = members[name] ?? "";
  if (value === "") return undefined;
  if (typeof value === "string" && value.length <= charactersMax) return value;
  const allowed = `a text of at most ${charactersMax} characters`;
  throw invalidParameter({ name, value: JSON.stringify(value), allowed });
}

/** A member that nobody knows is a mistake: a filter that is misspelt would act upon everything. */
function checkMembers(
  value: unknown,
  { of, known }: { readonly of: string; readonly known: readonly string[] },
): Members {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ClewError("REQUEST_MALFORMED", `cannot read ${of}: it is no JSON object`);
  }
  const members: Members = { ...value };
  for (const name of Object.keys(members)) {
    if (known.includes(name)) continue;
    const allowed = `the members ${known.join(", ")}`;
    throw invalidParameter({ name, value: JSON.stringify(members[name]) ?? "", allowed });
  }
  return members;
}
