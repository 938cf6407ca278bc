import { JsonBuffer } from "./json-buffer.ts";

/** One `_bulk` request: two lines for each document, and where in the batch that is. */
export class BulkBody {
  /** The data stream. */
  readonly stream: string;
  readonly json: JsonBuffer;
  /** Where each document's lines end. */
  readonly #ends: number[] = [];
  /** By their place here: the `_id` of each, and its place in the batch. */
  readonly ids: string[] = [];
  readonly places: number[] = [];

  constructor(stream: string, json: JsonBuffer) {
    this.stream = stream;
    this.json = json;
  }

  get documents(): number {
    return this.ids.length;
  }

  /** To be called once the two lines of a document are written. */
  end(id: string, place: number): void {
    this.#ends.push(this.json.length);
    this.ids.push(id);
    this.places.push(place);
  }

  /** A request of some of these documents, given by their places here. */
  select(documents: readonly number[]): BulkBody {
    const bytes = documents.reduce((sum, at) => sum + this.#endOf(at) - this.#endOf(at - 1), 0);
    const body = new BulkBody(this.stream, new JsonBuffer(bytes));
    for (const at of documents) {
      body.json.raw(this.json.bytes.subarray(this.#endOf(at - 1), this.#endOf(at)));
      body.end(this.ids[at] ?? "", this.places[at] ?? 0);
    }
    return body;
  }

  /** In two, where there are two or more. */
  halves(): readonly BulkBody[] {
    const all = this.ids.map((_, at) => at);
    const half = Math.ceil(all.length / 2);
    return [this.select(all.slice(0, half)), this.select(all.slice(half))];
  }

  #endOf(at: number): number {
    return this.#ends[at] ?? 0;
  }
}
