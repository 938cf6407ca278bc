import {
  acceptTransaction,
  activeContext,
  findContext,
  mintTransaction,
  runIn,
} from "./transaction-context.ts";

interface TransactionApi {
  /** The ID of the transaction the running code belongs to, or undefined outside of any. */
  id(): string | undefined;
  /**
   * Runs `body` as part of a transaction, and returns or throws what it does. Without an ID a new
   * one is minted; an ID that is not acceptable (DESIGN: "Transaction ID") is replaced by a new
   * one and counted in `instrumentationStats().transactions.rejected`.
   */
  run<R>(body: () => R): R;
  run<R>(id: string | undefined, body: () => R): R;
}

export const transaction: TransactionApi = { id: findId, run: runTransaction };

function findId(): string | undefined {
  return findContext()?.transaction?.id;
}

function runTransaction<R>(first: string | undefined | (() => R), second?: () => R): R {
  const id = typeof first === "function" ? undefined : first;
  const body = typeof first === "function" ? first : second;
  if (typeof body !== "function") {
    throw new TypeError("cannot run the transaction: the last argument is not a function");
  }
  const made = id === undefined ? mintTransaction() : acceptTransaction(id);
  return runIn(activeContext().with({ transaction: made }), body);
}
