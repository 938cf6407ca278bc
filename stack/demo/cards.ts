/** Test cards: each stands for one way a payment goes. */
export const CARD = {
  accepted: "4242-4242-4242-4242",
  declined: "4000-0000-0000-0002",
  timesOutOnce: "4000-0000-0000-0069",
} as const;
