/** A piece of a search text that names a field: `name:value`. */
import type { ComparisonSign } from "./query.ts";
import type { BareText } from "./query-scanner.ts";

export interface BareField {
  readonly name: string;
  readonly value:
    | { readonly kind: "text"; readonly text: string; readonly isPrefix: boolean }
    | { readonly kind: "comparison"; readonly sign: ComparisonSign; readonly text: string }
    /** `*` alone: any value. */
    | { readonly kind: "any" }
    /** In the quotes that follow. */
    | { readonly kind: "quoted" }
    /** A star where it means nothing. */
    | { readonly kind: "star" };
}

/** What may stand in a name without a backslash; a time, an address and a number are no names. */
const NAME_START = /^[a-z_@$\u0080-\uffff]/i;
const NAME = /^[\w@$./\u0080-\uffff-]+$/;
const SIGNS: readonly ComparisonSign[] = [">=", "<=", ">", "<"];

/**
 * Undefined where the piece is plain text: without a colon, without a value behind it (`error:
 * timeout` is two words), with what is no name before it (`12:30`), or an address (`http://…`).
 */
export function findBareField(bare: BareText, isQuoteNext: boolean): BareField | undefined {
  const colon = findColon(bare);
  if (colon < 1) return undefined;
  const name = bare.text.slice(0, colon);
  const rest = bare.text.slice(colon + 1);
  if (!isName(bare, colon) || rest.startsWith("//")) return undefined;
  if (rest === "") return isQuoteNext ? { name, value: { kind: "quoted" } } : undefined;
  return { name, value: readRest(bare, colon + 1) };
}

function readRest(bare: BareText, start: number): BareField["value"] {
  const rest = bare.text.slice(start);
  const sign = SIGNS.find((sign) => rest.startsWith(sign));
  if (sign !== undefined && !bare.escaped.has(start))
    return { kind: "comparison", sign, text: rest.slice(sign.length) };
  const stars = [...rest.matchAll(/\*/g)].filter(({ index }) => !bare.escaped.has(start + index));
  if (stars.length === 0) return { kind: "text", text: rest, isPrefix: false };
  if (stars.length > 1 || stars[0]?.index !== rest.length - 1) return { kind: "star" };
  return rest === "*" ? { kind: "any" } : { kind: "text", text: rest.slice(0, -1), isPrefix: true };
}

function findColon({ text, escaped }: BareText): number {
  let colon = text.indexOf(":");
  while (colon >= 0 && escaped.has(colon)) colon = text.indexOf(":", colon + 1);
  return colon;
}

/** Any character may stand in a name once it is escaped. */
function isName({ text, escaped }: BareText, length: number): boolean {
  if (!escaped.has(0) && !NAME_START.test(text)) return false;
  const units = Array.from({ length }, (_, i) => (escaped.has(i) ? "" : text.charAt(i)));
  const plain = units.join("");
  return plain === "" || NAME.test(plain);
}
