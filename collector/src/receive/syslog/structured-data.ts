export interface StructuredDatum {
  /** SD-ID of its element. */
  readonly id: string;
  readonly name: string;
  readonly value: string;
}

export interface StructuredData {
  readonly params: readonly StructuredDatum[];
  /** Where the text goes on behind it. */
  readonly end: number;
}

/** Parameters of one message; beyond, its structured data stays text. */
const PARAMS_MAX = 512;
/** RFC 5424 says 32 characters. */
const NAME_CHARACTERS_MAX = 128;
const NAME = new RegExp(`[\\x21\\x23-\\x3c\\x3e-\\x5c\\x5e-\\x7e]{1,${NAME_CHARACTERS_MAX}}`, "y");
/**
 * `\"`, `\\` and `\]` stand for their second character; any other backslash is one. A bracket that
 * was not escaped does no harm between quotes.
 */
const VALUE = /"([^"\\]*(?:\\[\s\S][^"\\]*)*)"/y;
const ESCAPED = /\\(["\\\]])/g;

/**
 * RFC 5424 §6.3, from `start` on:
 *
 *     STRUCTURED-DATA = "-" / 1*( "[" SD-NAME *( SP SD-NAME "=" %d34 PARAM-VALUE %d34 ) "]" )
 *
 * Undefined where the text is nothing of that.
 */
export function findStructuredData(text: string, start: number): StructuredData | undefined {
  if (text[start] === "-") return { params: [], end: start + 1 };
  const params: StructuredDatum[] = [];
  let at = start;
  while (text[at] === "[") {
    const id = match(NAME, text, at + 1)?.[0];
    if (id === undefined) return undefined;
    at += 1 + id.length;
    while (text[at] === " ") {
      const name = match(NAME, text, at + 1)?.[0];
      if (name === undefined || text[at + 1 + name.length] !== "=") return undefined;
      const value = match(VALUE, text, at + name.length + 2);
      if (value === undefined || params.length === PARAMS_MAX) return undefined;
      params.push({ id, name, value: (value[1] ?? "").replace(ESCAPED, "$1") });
      at += name.length + 2 + value[0].length;
    }
    if (text[at] !== "]") return undefined;
    at++;
  }
  return at === start ? undefined : { params, end: at };
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text) ?? undefined;
}
