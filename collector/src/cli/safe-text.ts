/**
 * Text from logs, made harmless for a terminal. Log lines are written by anybody: escape sequences
 * could recolour, overwrite or retitle what a person reads, bidirectional marks could reorder it.
 */

/** C0 and C1 controls, DEL, bidirectional and invisible format marks, line separators. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Keeps line breaks and tabs; everything else that acts on a terminal is shown as an toEscape. */
export function safeText(text: string): string {
  return text.replaceAll("\r\n", "\n").toWellFormed().replace(UNSAFE, toEscape);
}

/** One line: for names, table cells and messages that share a line. */
export function safeLine(text: string): string {
  return safeText(text).replaceAll("\n", "\\n").replaceAll("\t", " ");
}

/**
 * Breaks at spaces, or anywhere in a word longer than a line. Widths are counted in code points.
 * @returns at least one line.
 */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of safeText(text).replaceAll("\t", "  ").split("\n")) {
    let rest = [...paragraph];
    while (rest.length > width) {
      const space = rest.lastIndexOf(" ", width);
      const end = space > 0 ? space : width;
      lines.push(rest.slice(0, end).join(""));
      rest = rest.slice(space > 0 ? end + 1 : end);
    }
    lines.push(rest.join(""));
  }
  return lines;
}

function toEscape(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`;
}
