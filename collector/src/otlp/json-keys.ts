import { type JsonText, WORD_BYTES } from "./json-text.ts";

const QUOTE = '"';

/**
 * The keys that an object may have, as the bytes that follow the opening quote up to the closing
 * one, in words of four bytes: a key is found without a string being made of it. The last word ends
 * with the closing quote and may overlap the one before.
 */
export class JsonKeys {
  private readonly firstWords: Int32Array;
  private readonly words: readonly Int32Array[];
  private readonly lengths: Int32Array;

  /** @param names ASCII without escapes, of three letters or more */
  constructor(names: readonly string[]) {
    this.words = names.map(toWords);
    this.firstWords = Int32Array.from(this.words, ([first = 0]) => first);
    this.lengths = Int32Array.from(names, ({ length }) => length + QUOTE.length);
  }

  /**
   * The index of the key whose first byte stands at `at`, or -1. The search begins at `expected`
   * and goes around, for senders mostly write fields in the order of the specification.
   */
  find(text: JsonText, at: number, expected: number): number {
    const { firstWords } = this;
    const { length } = firstWords;
    if (at + WORD_BYTES > text.length) return -1;
    const word = text.word(at);
    for (let i = expected; i < length; i++) {
      if (firstWords[i] === word && this.isAt(text, at, i)) return i;
    }
    const before = Math.min(expected, length);
    for (let i = 0; i < before; i++) {
      if (firstWords[i] === word && this.isAt(text, at, i)) return i;
    }
    return -1;
  }

  /** Bytes of the key at `index` with its closing quote. */
  length(index: number): number {
    return this.lengths[index] as number;
  }

  /** The first word is known to be right. */
  private isAt(text: JsonText, at: number, index: number): boolean {
    const words = this.words[index] as Int32Array;
    const lastAt = at + this.length(index) - WORD_BYTES;
    if (lastAt + WORD_BYTES > text.length) return false;
    const last = words.length - 1;
    for (let i = 1; i < last; i++) {
      if (text.word(at + i * WORD_BYTES) !== words[i]) return false;
    }
    return text.word(lastAt) === words[last];
  }
}

function toWords(name: string): Int32Array {
  const bytes = Buffer.from(name + QUOTE, "latin1");
  if (bytes.length < WORD_BYTES) throw new Error(`cannot look for the key ${name}: it is short`);
  const last = bytes.length - WORD_BYTES;
  return Int32Array.from({ length: Math.ceil(bytes.length / WORD_BYTES) }, (_, i) =>
    bytes.readInt32LE(Math.min(i * WORD_BYTES, last)),
  );
}
