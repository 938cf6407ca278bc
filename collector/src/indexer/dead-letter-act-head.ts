/** Acts upon dead letters, as they lie in a message of the topic `dead-letters`. */
import { DEAD_LETTER_ACTS, type DeadLetterAct } from "../store/dead-letter.ts";
import { DeadLetterHead, malformed } from "./dead-letter-head.ts";

const KIND = "acts";
const VERSION = 1;

export function encodeActHead(acts: readonly DeadLetterAct[]): object {
  const told = acts.map(({ edited, atNs, ...texts }) => ({
    ...texts,
    atNs: String(atNs),
    ...(edited === null ? {} : { editedBytes: edited.length }),
  }));
  return { kind: KIND, version: VERSION, acts: told };
}

export function isActHead(head: DeadLetterHead): boolean {
  return head.isOf(KIND);
}

/**
 * @param bytes what stands behind the head
 * @throws ClewError REQUEST_MALFORMED
 */
export function decodeActs(head: DeadLetterHead, bytes: Uint8Array): DeadLetterAct[] {
  head.version({ fallback: 0, known: VERSION });
  let position = 0;
  return head.list("acts").map((told) => {
    const fields = new DeadLetterHead(told);
    const editedBytes = fields.findNumber("editedBytes");
    const end = position + (editedBytes ?? 0);
    if (end > bytes.length) throw malformed("it is cut off");
    const edited = editedBytes === undefined ? null : bytes.subarray(position, end);
    position = end;
    return { ...decodeAct(fields), edited };
  });
}

function decodeAct(fields: DeadLetterHead): Omit<DeadLetterAct, "edited"> {
  const name = fields.text("act");
  const act = DEAD_LETTER_ACTS.find((known) => known === name);
  if (act === undefined) throw malformed(`the act ${name.slice(0, 40)} is not known`);
  return {
    letterId: fields.text("letterId"),
    act,
    atNs: fields.timeNs("atNs"),
    actor: fields.text("actor"),
    reason: fields.text("reason"),
  };
}
