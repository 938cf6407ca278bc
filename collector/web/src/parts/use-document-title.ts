import { useEffect } from "react";

/** Many tabs are open at night: the title says which transaction this one is. */
export function useDocumentTitle(title: string): void {
  useEffect(() => {
    document.title = title === "" ? "Clew" : `${title} · Clew`;
  }, [title]);
}
