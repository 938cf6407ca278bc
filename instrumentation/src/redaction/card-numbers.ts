/** 13 to 19 digits in one piece, or in the groups that cards show them in. */
const CANDIDATE = new RegExp(
  [
    "(?<![A-Za-z0-9]|\\d\\.)(?:\\d{13,19}",
    "(?:\\d{4}[ -]){3}\\d{1,4}(?:[ -]?\\d{1,3})?",
    "\\d{4}[ -]\\d{6}[ -]\\d{4,5})(?![A-Za-z0-9])",
  ].join("|"),
  "g",
);
const LAST_GROUP = /[ -]\d{1,3}$/;

/**
 * Beginning and length by network: Visa, Mastercard, American Express, Diners, JCB, and what begins
 * with 6 or 50, 56–58 (Discover, UnionPay, Maestro). No card begins with 1, as the milliseconds,
 * microseconds and nanoseconds of our decades do.
 */
const NETWORK = new RegExp(
  [
    "^(?:4(?:\\d{12}|\\d{15}|\\d{18})",
    "5[1-5]\\d{14}",
    "2(?:22[1-9]|2[3-9]\\d|[3-6]\\d\\d|7[01]\\d|720)\\d{12}",
    "3[47]\\d{13}",
    "3(?:0[0-5]|[689]\\d)\\d{11}",
    "35\\d{14,17}",
    "6\\d{14,18}",
    "5[0678]\\d{11,17})$",
  ].join("|"),
);

/** Puts the mark in the place of each number that a payment card could have (ISO/IEC 7812). */
export function redactCardNumbers(text: string, mark: string): string {
  return text.replace(CANDIDATE, (found) => {
    if (isCardNumber(found)) return mark;
    // "4111 1111 1111 1111 2 items": the last group may be a number of its own.
    const last = LAST_GROUP.exec(found)?.[0] ?? "";
    const rest = found.slice(0, found.length - last.length);
    return last !== "" && isCardNumber(rest) ? mark + last : found;
  });
}

/** Whether these digits, spaces and dashes are a card's number, check digit included. */
export function isCardNumber(text: string): boolean {
  const digits = text.replace(/[ -]/g, "");
  return NETWORK.test(digits) && hasCheckDigit(digits);
}

/** The Luhn formula (ISO/IEC 7812-1, annex B). */
function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index++) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const weighted = index % 2 === 0 ? digit : digit * 2;
    sum += weighted > 9 ? weighted - 9 : weighted;
  }
  return sum % 10 === 0;
}
