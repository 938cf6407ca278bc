import { ATTRIBUTE } from "@clew/instrumentation/names";
import type { Condition, Field } from "../query-language/query.ts";

/** Looking for more takes as long as it saves. */
export const NEEDLES_MAX = 3;
/** As what bytes that are no UTF-8 are read. */
const REPLACEMENT = "\ufffd";
/** What only a text can be: numbers and booleans are not spelt out, bytes are shown in base64. */
const ONLY_TEXT = /[^A-Za-z0-9+/=.-]/;
/** How a value begins that is shown instead of one that is nested too deep. */
const SHOWN_ONLY = "(";

/**
 * Bytes that a payload holds if its record matches, longest first: of attributes the parts of their
 * keys, and of texts the texts. Most records of most services have neither, and looking for some
 * bytes takes a fraction of reading the record.
 */
export function needlesOf(condition: Condition): readonly Buffer[] {
  const texts = new Set(textsOf(condition));
  return [...texts]
    .filter((text) => text !== "" && !text.includes(REPLACEMENT) && text.isWellFormed())
    .map((text) => Buffer.from(text))
    .toSorted((a, b) => b.length - a.length)
    .slice(0, NEEDLES_MAX);
}

function textsOf(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case "and":
      return condition.parts.flatMap(textsOf);
    case "exists":
    case "number":
      return keyParts(condition.field);
    case "text": {
      const { field, text } = condition;
      const isText = field.of === "attributes" && ONLY_TEXT.test(text) && text[0] !== SHOWN_ONLY;
      return isText ? [...keyParts(field), text] : keyParts(field);
    }
    default:
      return [];
  }
}

/** Whichever maps it is nested in, each part between dots stands in one piece. */
function keyParts(field: Field): readonly string[] {
  // The name of an event has a field of its own, without a key.
  if (field.of !== "attributes" || field.key === ATTRIBUTE.eventName) return [];
  return field.key.split(".");
}
