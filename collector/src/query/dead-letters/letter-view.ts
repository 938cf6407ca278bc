/** Dead letters as the query API gives them. */
import { toClewError } from "../../errors.ts";
import type { Signal } from "../../otlp/otlp-schema.ts";
import { type OtlpJson, otlpToJson } from "../../otlp/otlp-to-json.ts";
import type {
  DeadLetterAct,
  DeadLetterGroup,
  DeadLetterState,
  StoredDeadLetter,
} from "../../store/dead-letter.ts";
import { formatRfc3339 } from "../rfc3339.ts";

export interface ActView {
  readonly act: DeadLetterAct["act"];
  readonly at: string;
  readonly actor: string;
  readonly reason: string;
}

/** As `GET /dead-letters` lists it. */
export interface LetterView {
  readonly id: string;
  readonly state: DeadLetterState;
  readonly reason: string;
  readonly status: number | null;
  readonly detail: string;
  readonly topic: string;
  readonly service: string | null;
  readonly transactionId: string | null;
  readonly runId: string | null;
  readonly sequence: number | null;
  readonly receivedAt: string;
  /** The last time. */
  readonly refusedAt: string;
  readonly refusals: number;
  readonly isWhole: boolean;
  readonly acts: readonly ActView[];
}

/** Bytes, for a person and for a machine; neither where they are too many for an answer. */
export interface ContentView {
  readonly bytes: number;
  /** OTLP/JSON; null where they are no export request. */
  readonly json: OtlpJson | null;
  /** Only where there is no `json`. */
  readonly base64: string | null;
  /** Why there is no `json`. */
  readonly problem: string | null;
}

/** As `GET /dead-letters/{id}` answers it. */
export interface LetterDetail extends Omit<LetterView, "acts"> {
  readonly original: ContentView;
  readonly acts: readonly (ActView & { readonly edited: ContentView | null })[];
}

export interface GroupView {
  readonly reason: string;
  readonly service: string | null;
  readonly pattern: string;
  readonly count: number;
  readonly firstRefusedAt: string;
  readonly lastRefusedAt: string;
  readonly exampleId: string;
}

/** Of what is larger the raw bytes can be had: `GET /dead-letters/{id}/original`. */
const SHOWN_BYTES_MAX = 2 * 1024 * 1024;
const SIGNALS: readonly Signal[] = ["logs", "traces", "metrics"];

export function viewLetter(letter: StoredDeadLetter): LetterView {
  const { original: _, receivedNs, refusedNs, acts, ...told } = letter;
  return {
    ...told,
    service: told.service || null,
    transactionId: told.transactionId || null,
    runId: told.runId || null,
    sequence: told.sequence || null,
    receivedAt: formatRfc3339(receivedNs),
    refusedAt: formatRfc3339(refusedNs),
    acts: acts.map(viewAct),
  };
}

export function viewLetterDetail(letter: StoredDeadLetter): LetterDetail {
  const acts = letter.acts.map((act) => {
    const edited = act.edited === null ? null : viewContent(letter.topic, act.edited);
    return { ...viewAct(act), edited };
  });
  return { ...viewLetter(letter), original: viewContent(letter.topic, letter.original), acts };
}

export function viewGroup({ firstRefusedNs, lastRefusedNs, ...told }: DeadLetterGroup): GroupView {
  return {
    ...told,
    service: told.service || null,
    firstRefusedAt: formatRfc3339(firstRefusedNs),
    lastRefusedAt: formatRfc3339(lastRefusedNs),
  };
}

function viewAct({ act, atNs, actor, reason }: DeadLetterAct): ActView {
  return { act, at: formatRfc3339(atNs), actor, reason };
}

function viewContent(topic: string, content: Uint8Array): ContentView {
  const bytes = content.length;
  if (bytes > SHOWN_BYTES_MAX) {
    const problem = `${bytes} bytes are too many to be shown here`;
    return { bytes, json: null, base64: null, problem };
  }
  const base64 = Buffer.from(content).toString("base64");
  const signal = SIGNALS.find((known) => known === topic);
  if (signal === undefined) return { bytes, json: null, base64, problem: "it is no OTLP" };
  try {
    return { bytes, json: otlpToJson(signal, content), base64: null, problem: null };
  } catch (thrown) {
    return { bytes, json: null, base64, problem: toClewError(thrown).message };
  }
}
