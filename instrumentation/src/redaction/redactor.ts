import { cutText } from "../otlp/allowance.ts";
import { isCardNumber } from "./card-numbers.ts";
import type { RedactionSettings } from "./config.ts";
import { REDACTED, redactText } from "./redact-text.ts";
import { SecretNames } from "./secret-names.ts";

/** Fewest digits of a card's number that is written as a number. */
const CARD_MIN = 1e13;
const NAME_CHARACTERS_MAX = 256;
const REMEMBERED_MAX = 4096;

/** Nothing, or the mark of the service's own logger. */
const SHOWN = /^(?:\[redacted\])?$/i;

/** The defaults hold before anything is configured: a record never leaves unexamined. */
let names = new SecretNames();
let isEnabled = true;

const remembered = new Map<string, FieldName>();

/** Applies the settings from now on. */
export function configureRedaction(settings: RedactionSettings): void {
  remembered.clear();
  names = new SecretNames(settings.keys);
  isEnabled = settings.enabled;
}

/** A text without the secrets in it. */
export function redactedText(text: string): string {
  return isEnabled ? redactText(text, names) : text;
}

/** A field's name as it may be shown, and whether its values are withheld. */
export interface FieldName {
  readonly isSecret: boolean;
  readonly text: string;
}

/** Names come from users' data too: they are searched like any text, and bounded in length. */
export function fieldName(name: string): FieldName {
  const known = remembered.get(name);
  if (known !== undefined) return known;
  const isTooLong = name.length > NAME_CHARACTERS_MAX;
  const text = isTooLong ? cutText(name, NAME_CHARACTERS_MAX) : name;
  const found = { isSecret: isEnabled && names.has(name), text: redactedText(text) };
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  if (!isTooLong) remembered.set(name, found);
  return found;
}

/**
 * What is shown of the value of a field with a secret name. That there is none, or that there is
 * one (`password: true`), is no secret.
 */
export function redactedValue(value: unknown): unknown {
  if (value === undefined || value === null || typeof value === "boolean") return value;
  return typeof value === "string" && SHOWN.test(value) ? value : REDACTED;
}

/** A number, or the mark where it is a card's. */
export function redactedNumber(value: number | bigint): number | bigint | string {
  if (value < CARD_MIN || !isEnabled) return value;
  return isCardNumber(String(value)) ? REDACTED : value;
}
