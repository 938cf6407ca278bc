/** The bytes of one dead letter: its original, and what was sent in its place. */
import { ClewError } from "../../../errors.ts";
import type { StoredDeadLetter } from "../../dead-letter.ts";
import {
  type ActDocument,
  LETTER_FIELD,
  type PieceDocument,
  type RefusalDocument,
} from "../document-fields.ts";
import type { FoundLetter } from "./letters.ts";
import { isAnyOf, isTerm } from "./record-clauses.ts";
import type { Hit, SearchClient } from "./search-client.ts";
import { toSort } from "./top-hit.ts";

/** Pieces of half a MiB, in base64, that come in one answer. */
const PIECES_PER_SEARCH = 16;
/** Of one original; a message of the bus is never larger. */
const BYTES_MAX = 128 * 1024 * 1024;
const NO_BYTES = new Uint8Array(0);

interface Owner {
  readonly id: string;
  /** How many parts, where they are in documents of their own. */
  readonly parts: number | undefined;
  readonly inline: string | undefined;
}

export async function readLetterBytes(
  client: SearchClient,
  index: string,
  { letter, original, acts }: FoundLetter,
): Promise<StoredDeadLetter> {
  const ids = [original.id, ...acts.map(({ id }) => id)];
  const documents = await readDocuments(client, index, ids);
  const bytesOf = async (id: string) => {
    const document = documents.get(id);
    if (document === undefined) return undefined;
    const inline = document.kind === "act" ? document.edited : document.original;
    return readBytes(client, index, { id, inline, parts: document.parts });
  };
  const withBytes = [];
  for (const [i, act] of letter.acts.entries()) {
    withBytes.push({ ...act, edited: (await bytesOf(acts[i]?.id ?? "")) ?? null });
  }
  return { ...letter, original: (await bytesOf(original.id)) ?? NO_BYTES, acts: withBytes };
}

async function readDocuments(
  client: SearchClient,
  index: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, RefusalDocument | ActDocument>> {
  const documents = new Map<string, RefusalDocument | ActDocument>();
  for (let at = 0; at < ids.length; at += PIECES_PER_SEARCH) {
    const some = ids.slice(at, at + PIECES_PER_SEARCH);
    const { hits } = await client.search<RefusalDocument | ActDocument>({
      index,
      body: { size: PIECES_PER_SEARCH, query: { ids: { values: some } } },
    });
    for (const { id, source } of hits) documents.set(id, source);
  }
  return documents;
}

/** Up to the first piece that is missing; undefined where there are none. */
async function readBytes(
  client: SearchClient,
  index: string,
  { id, parts, inline }: Owner,
): Promise<Uint8Array | undefined> {
  if (inline !== undefined) return Buffer.from(inline, "base64");
  if (parts === undefined) return undefined;
  const bytes: Buffer[] = [];
  let total = 0;
  let wanted = { part: 0, place: 0 };
  let after: Hit<PieceDocument>["sort"] | undefined;
  for (;;) {
    const hits = await readPieces(client, index, { id, after });
    for (const { source } of hits) {
      if (source.part !== wanted.part || source.place !== wanted.place) return Buffer.concat(bytes);
      const piece = Buffer.from(source.bytes, "base64");
      total += piece.length;
      if (total > BYTES_MAX) throw tooLarge(id);
      bytes.push(piece);
      const isLast = source.place + 1 === source.places;
      wanted = isLast
        ? { part: source.part + 1, place: 0 }
        : { ...wanted, place: source.place + 1 };
    }
    if (hits.length < PIECES_PER_SEARCH) return Buffer.concat(bytes);
    after = hits.at(-1)?.sort;
  }
}

async function readPieces(
  client: SearchClient,
  index: string,
  { id, after }: { readonly id: string; readonly after: Hit<PieceDocument>["sort"] | undefined },
): Promise<readonly Hit<PieceDocument>[]> {
  const filter = [isTerm(LETTER_FIELD.owner, id), isAnyOf(LETTER_FIELD.kind, ["piece"])];
  const { hits } = await client.search<PieceDocument>({
    index,
    body: {
      size: PIECES_PER_SEARCH,
      query: { bool: { filter } },
      sort: [LETTER_FIELD.part, LETTER_FIELD.place].map(toSort),
      ...(after && { search_after: [...after] }),
    },
  });
  return hits;
}

function tooLarge(id: string): ClewError {
  const why = `its original is larger than ${BYTES_MAX} bytes`;
  return new ClewError("INTERNAL", `cannot read the dead letter ${id}: ${why}`);
}
