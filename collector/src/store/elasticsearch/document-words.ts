import { WORD_UNITS_MAX, wordsOf } from "../query-language/words.ts";
import type { JsonBuffer } from "./json-buffer.ts";

const NOT_ASCII = 0x80;
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIELD_START = Buffer.from(',"words":');
const MESSAGE_START = Buffer.from(',"message":"');
const BETWEEN = Buffer.from('","words":"');

const FIELDS_BYTES = MESSAGE_START.length + BETWEEN.length + 1;

/** By byte: its lower case where it is an ASCII letter or a digit, else a space. */
const WORD_OR_SPACE = new Uint8Array(256).fill(SPACE);
for (const character of "0123456789abcdefghijklmnopqrstuvwxyz") {
  WORD_OR_SPACE[character.charCodeAt(0)] = character.charCodeAt(0);
  WORD_OR_SPACE[character.toUpperCase().charCodeAt(0)] = character.charCodeAt(0);
}
/** By byte: 0 where JSON has it as it is, and it is ASCII. */
const UNUSUAL = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < SPACE || byte >= NOT_ASCII || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);

/**
 * Writes the message and its words in one go, where the message is the text that is searched and
 * nothing but ASCII; answers false, with nothing written, where it is not. Of a text that was
 * decoded from these very bytes only the length and some characters need be looked at.
 */
export function writeMessageAndWords(
  out: JsonBuffer,
  message: { readonly source: Buffer; readonly start: number; readonly end: number },
  text: string,
): boolean {
  const { source, start, end } = message;
  const length = end - start;
  if (length === 0 || !isDecodedFrom(text, source, start, end)) return false;
  out.reserve(2 * length + FIELDS_BYTES);
  const target = out.bytes;
  target.set(MESSAGE_START, out.length);
  let to = out.length + MESSAGE_START.length;
  const between = to + length;
  const wordsStart = between + BETWEEN.length;
  let wordAt = wordsStart;
  let unusual = 0;
  let letters = 0;
  for (let at = start; at < end; at++) {
    const byte = source[at] as number;
    const word = WORD_OR_SPACE[byte] as number;
    unusual |= UNUSUAL[byte] as number;
    letters |= word ^ SPACE;
    target[to++] = byte;
    target[wordAt++] = word;
  }
  if (unusual !== 0 || letters === 0 || hasLongWord(target, wordsStart, wordAt)) return false;
  target.set(BETWEEN, between);
  target[wordAt++] = QUOTE;
  out.length = wordAt;
  return true;
}

function isDecodedFrom(text: string, source: Buffer, start: number, end: number): boolean {
  const length = end - start;
  const middle = length >> 1;
  return (
    text.length === length &&
    text.charCodeAt(0) === source[start] &&
    text.charCodeAt(middle) === source[start + middle] &&
    text.charCodeAt(length - 1) === source[end - 1]
  );
}

function hasLongWord(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (end - at > WORD_UNITS_MAX) {
    const space = bytes.lastIndexOf(SPACE, at + WORD_UNITS_MAX);
    if (space < at) return true;
    at = space + 1;
  }
  return false;
}

/** Writes the field of the searched words, as `wordsOf` gives them; without any nothing. */
export function writeWords(out: JsonBuffer, text: string): void {
  const words = wordsOf(text);
  if (words === "") return;
  out.raw(FIELD_START);
  out.text(words);
}
