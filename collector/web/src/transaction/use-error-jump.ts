import { useEffect, useMemo, useState } from "react";
import type { Records } from "./use-records.ts";

export interface ErrorJump {
  /** Goes to the first error, then to the next one, and around. */
  readonly act: () => void;
  /** One was gone to already. */
  readonly hasJumped: boolean;
  /** The first error lies beyond what is loaded, and is being loaded. */
  readonly isSearching: boolean;
}

interface ErrorJumpProps {
  readonly records: Records;
  readonly onJump: (recordId: string) => void;
}

/** Goes through the errors of a transaction, loading on where none of them is there yet. */
export function useErrorJump({ records, onJump }: ErrorJumpProps): ErrorJump {
  const [lastId, setLastId] = useState<string | null>(null);
  const [isWanted, setIsWanted] = useState(false);
  const errors = useMemo(() => records.records.filter(({ isError }) => isError), [records.records]);
  const next = errors[(errors.findIndex(({ id }) => id === lastId) + 1) % errors.length];
  const { isLoading, isWhole, loadMore, error } = records;
  const hasFailed = error !== undefined;
  useEffect(() => {
    if (!isWanted) return;
    if (next !== undefined) {
      setIsWanted(false);
      setLastId(next.id);
      onJump(next.id);
    } else if (isWhole || hasFailed) setIsWanted(false);
    else if (!isLoading) loadMore();
  }, [isWanted, next, isLoading, isWhole, hasFailed, loadMore, onJump]);
  return {
    act: () => setIsWanted(true),
    hasJumped: lastId !== null,
    isSearching: isWanted,
  };
}
