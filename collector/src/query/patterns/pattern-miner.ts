/**
 * Finds the templates of messages as they come, in bounded memory, the same for the same messages
 * in the same order.
 *
 * As in Drain (He et al., ICWS 2017) messages are compared only with those that have as many words
 * and the same first one, and are alike where half of the words are the same. Unlike there a word
 * becomes a wildcard only once it has taken more than `VALUES_MAX` values among messages that are
 * alike: `card accepted` and `card declined` stay two patterns, and a name that comes in twenty
 * forms becomes one.
 */
import { maskMessage, WILDCARD } from "./mask-message.ts";

/** A place in a message that takes more values than this is a wildcard. */
export const VALUES_MAX = 5;
/** Patterns that are told apart; messages that fit none of so many are only counted. */
export const PATTERNS_MAX = 2000;
/** Of one length and first word; further ones are made to fit the nearest. */
const SIBLINGS_MAX = 100;
/** Lines whose pattern is remembered, as most lines come again and again. */
const REMEMBERED_LINES_MAX = 10_000;
const ALIKE_SHARE = 0.5;

/** What is gathered of the messages of one pattern. */
export interface Gathered<T> {
  add(item: T): void;
  merge(other: Gathered<T>): void;
}

export interface MinedPattern<G> {
  readonly tokens: readonly string[];
  readonly gathered: G;
}

interface Cluster<G> {
  tokens: readonly string[];
  readonly gathered: G;
  /** Set where the cluster became part of another. */
  mergedInto: Cluster<G> | undefined;
}

export class PatternMiner<T, G extends Gathered<T>> {
  readonly #create: () => G;
  readonly #groups = new Map<string, Cluster<G>[]>();
  readonly #lines = new Map<string, Cluster<G>>();
  #clusters = 0;
  /** Messages that fitted none of `PATTERNS_MAX` patterns. */
  others = 0;

  constructor(create: () => G) {
    this.#create = create;
  }

  add(message: string, item: T): void {
    const tokens = maskMessage(message);
    const line = tokens.join(" ");
    const known = this.#lines.get(line);
    const cluster = known === undefined ? this.#place(tokens) : current(known);
    if (cluster === undefined) {
      this.others++;
      return;
    }
    if (this.#lines.size < REMEMBERED_LINES_MAX) this.#lines.set(line, cluster);
    cluster.gathered.add(item);
  }

  patterns(): MinedPattern<G>[] {
    return [...this.#groups.values()].flat();
  }

  #place(tokens: readonly string[]): Cluster<G> | undefined {
    const key = `${tokens.length} ${tokens[0] ?? ""}`;
    const group = this.#groups.get(key) ?? [];
    const fitting = group.find((cluster) => fits(cluster.tokens, tokens));
    if (fitting !== undefined) return fitting;
    if (group.length >= SIBLINGS_MAX) return this.#widenNearest(group, tokens);
    if (this.#clusters >= PATTERNS_MAX) return undefined;
    this.#groups.set(key, group);
    const cluster = { tokens, gathered: this.#create(), mergedInto: undefined };
    group.push(cluster);
    this.#clusters++;
    this.#generalize(group, cluster);
    return cluster;
  }

  /** Makes wildcards of the places that take many values among those alike, and unites those. */
  #generalize(group: Cluster<G>[], cluster: Cluster<G>): void {
    const alike = group.filter(({ tokens }) => areAlike(tokens, cluster.tokens));
    const values = cluster.tokens.map((_, i) => new Set(alike.map(({ tokens }) => tokens[i])));
    if (values.every(({ size }) => size <= VALUES_MAX)) return;
    cluster.tokens = cluster.tokens.map((token, i) =>
      (values[i]?.size ?? 0) > VALUES_MAX ? WILDCARD : token,
    );
    this.#unite(group, cluster);
  }

  #widenNearest(group: Cluster<G>[], tokens: readonly string[]): Cluster<G> | undefined {
    let nearest: Cluster<G> | undefined;
    let most = -1;
    for (const cluster of group) {
      const same = sameTokens(cluster.tokens, tokens);
      if (same > most) {
        most = same;
        nearest = cluster;
      }
    }
    if (nearest === undefined) return undefined;
    nearest.tokens = nearest.tokens.map((token, i) => (token === tokens[i] ? token : WILDCARD));
    this.#unite(group, nearest);
    return nearest;
  }

  /** Takes in all of the group that fit the cluster's tokens. */
  #unite(group: Cluster<G>[], cluster: Cluster<G>): void {
    const kept = group.filter((other) => {
      if (other === cluster || !fits(cluster.tokens, other.tokens)) return true;
      cluster.gathered.merge(other.gathered);
      other.mergedInto = cluster;
      this.#clusters--;
      return false;
    });
    group.splice(0, group.length, ...kept);
  }
}

function current<G>(cluster: Cluster<G>): Cluster<G> {
  let last = cluster;
  while (last.mergedInto !== undefined) last = last.mergedInto;
  return last;
}

/** Whether the tokens are a case of the template; a wildcard stands for one token. */
export function fits(template: readonly string[], tokens: readonly string[]): boolean {
  return (
    template.length === tokens.length &&
    template.every((token, i) => token === WILDCARD || token === tokens[i])
  );
}

function areAlike(a: readonly string[], b: readonly string[]): boolean {
  return sameTokens(a, b) >= a.length * ALIKE_SHARE;
}

function sameTokens(a: readonly string[], b: readonly string[]): number {
  return a.reduce((same, token, i) => same + Number(token === b[i]), 0);
}
