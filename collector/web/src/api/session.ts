import { useSyncExternalStore } from "react";

export interface Session {
  /** Empty where the collector asks for none. */
  readonly token: string;
  /** The collector refused the last request: a person has to give a token. */
  readonly isTokenAsked: boolean;
  /** Grows with every token given, even the same again: what was refused is asked anew. */
  readonly round: number;
}

const TOKEN_KEY = "clew.query-token";

let session: Session = {
  token: sessionStorage.getItem(TOKEN_KEY) ?? "",
  isTokenAsked: false,
  round: 0,
};
const listeners = new Set<() => void>();

/** The query token and whether it has to be asked for; kept for this tab only. */
export function useSession(): Session {
  return useSyncExternalStore(subscribe, currentSession);
}

export function currentSession(): Session {
  return session;
}

export function keepToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
  change({ token, isTokenAsked: false, round: session.round + 1 });
}

/** A request with this token was refused; an older one than the current says nothing. */
export function refuseToken(token: string): void {
  if (token === session.token && !session.isTokenAsked) change({ ...session, isTokenAsked: true });
}

function change(next: Session): void {
  session = next;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
