/** Random queries from a seed, over the words, keys and values of given records. */
import type { Attributes, AttributeValue, StoredRecord } from "../src/record.ts";
import { type Scalar, textOfScalar } from "../src/store/query-language/attribute-values.ts";
import { QUERY_CHARS_MAX, VALUE_CHARS_MAX } from "../src/store/query-language/parse-query.ts";
import {
  type ComparisonSign,
  type Condition,
  type Field,
  join,
  RECORD_FIELDS,
} from "../src/store/query-language/query.ts";
import { searchedText } from "../src/store/query-language/searched-text.ts";
import { wordList } from "../src/store/query-language/words.ts";
import { printQuery } from "./print-query.ts";
import { SeededRandom } from "./seeded-random.ts";

const SIGNS: readonly ComparisonSign[] = [">", ">=", "<", "<="];
const DEPTH_MAX = 4;
const PARTS_MAX = 3;
/** What cannot be typed outside quotes. */
const UNPRINTABLE = /(?![\t\n\r])[\p{Cc}\p{Cs}]/u;
const GARBAGE = [
  ..."()\"\\:*-<>= \t\n\0'.a1",
  ...["and", "OR", "not", "severity:", "message:", "k:>", "ä", "日", "😀", "\ud800", "x:", "->="],
];

interface ValueOfField {
  readonly field: Field;
  readonly value: Scalar;
}

export class QueryGenerator {
  readonly #random: SeededRandom;
  /** Of each record the words of its text. */
  readonly #texts: (readonly string[])[] = [
    ["order", "accepted"],
    ["card", "declined", "日本"],
  ];
  readonly #values: ValueOfField[] = [
    { field: { of: "attributes", key: "no.such key" }, value: 'nowhere\\ (to "be") found: *' },
    { field: { of: "record", name: "service" }, value: "orders" },
  ];

  constructor({ seed, records = [] }: { seed: number; records?: readonly StoredRecord[] }) {
    this.#random = new SeededRandom(seed);
    for (const record of records) this.#learn(record);
  }

  /** As a person would type it. */
  query(): string {
    for (;;) {
      const query = printQuery(this.condition());
      if (query.length <= QUERY_CHARS_MAX) return query;
    }
  }

  /** In the form in which `parseQuery` gives it. */
  condition(depth = DEPTH_MAX): Condition {
    const random = this.#random;
    if (depth === 0 || random.oneIn(2)) return this.#term();
    if (random.oneIn(4)) return { kind: "not", part: this.condition(depth - 1) };
    const length = 2 + random.below(PARTS_MAX - 1);
    const parts = Array.from({ length }, () => this.condition(depth - 1));
    return join(random.oneIn(2) ? "or" : "and", parts) ?? this.#term();
  }

  /** A text that hardly is a query. */
  garbage(): string {
    const length = this.#random.below(16);
    return Array.from({ length }, () => this.#random.pick(GARBAGE)).join("");
  }

  #learn(record: StoredRecord): void {
    const words = wordList(searchedText(record));
    if (words.length > 0) this.#texts.push(words);
    for (const name of Object.values(RECORD_FIELDS)) {
      const value = record[name];
      if (value) this.#values.push({ field: { of: "record", name }, value });
    }
    for (const owner of ["attributes", "resource"] as const) {
      this.#learnMap({ of: owner, map: record[owner] });
    }
  }

  #learnMap({
    of,
    map,
    path = "",
  }: {
    of: "attributes" | "resource";
    map: Attributes;
    path?: string;
  }) {
    for (const [name, value] of Object.entries(map)) {
      const key = `${path}${name}`;
      if (UNPRINTABLE.test(key)) continue;
      for (const element of elementsOf(value)) {
        if (typeof element === "object" && element !== null) {
          this.#learnMap({ of, map: element as Attributes, path: `${key}.` });
        } else if (element !== null && textOfScalar(element).length <= VALUE_CHARS_MAX) {
          this.#values.push({ field: { of, key }, value: element });
        }
      }
    }
  }

  #term(): Condition {
    const random = this.#random;
    switch (random.below(9)) {
      case 0:
        return this.#severity();
      case 1:
        return { kind: "exists", field: random.pick(this.#values).field };
      case 2:
        return this.#number();
      case 3:
      case 4:
        return this.#text();
      case 5:
        return random.oneIn(8) ? { kind: "any word" } : this.#words();
      default:
        return this.#words();
    }
  }

  #words(): Condition {
    const random = this.#random;
    const text = random.pick(this.#texts);
    const from = random.below(text.length);
    const words = text.slice(from, from + 1 + (random.oneIn(2) ? 0 : random.below(4)));
    if (random.oneIn(12)) words.push(random.pick(random.pick(this.#texts)));
    const isPrefix = random.oneIn(3);
    const last = words.at(-1) ?? "";
    const characters = [...last];
    if (isPrefix) {
      words[words.length - 1] = characters.slice(0, 1 + random.below(characters.length)).join("");
    }
    return { kind: "words", words, isPrefix };
  }

  #text(): Condition {
    const random = this.#random;
    const { field, value } = random.pick(this.#values);
    const text = textOfScalar(random.oneIn(12) ? random.pick(this.#values).value : value);
    const start = text.slice(0, 1 + random.below(Math.max(1, text.length)));
    const isPrefix = random.oneIn(3) && start !== "" && !UNPRINTABLE.test(start);
    return { kind: "text", field, text: isPrefix ? start : text, isPrefix };
  }

  #number(): Condition {
    const random = this.#random;
    const { field, value } = random.pick(this.#values);
    if (field.of === "record") return this.#severity();
    const near = Number.isFinite(Number(value)) ? Number(value) : random.below(1000);
    const number = random.oneIn(3) ? near + random.below(7) - 3 : near;
    return { kind: "number", field, sign: random.pick(SIGNS), number: number === 0 ? 0 : number };
  }

  #severity(): Condition {
    const random = this.#random;
    const number = 1 + random.below(24);
    const first = 1 + 4 * random.below(5);
    return random.pick<Condition>([
      { kind: "severity", least: first, most: first + 3 },
      { kind: "severity", least: number, most: number },
      { kind: "severity", least: number, most: 24 },
      { kind: "severity", least: 1, most: number },
    ]);
  }
}

function elementsOf(value: AttributeValue): readonly AttributeValue[] {
  return Array.isArray(value) ? value.flatMap((element) => elementsOf(element)) : [value];
}
