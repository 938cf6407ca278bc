/** What was found of each server; a ratio is against the peer whose 200 promises the same. */
import { RoundFindings } from "../round-findings.ts";
import { CLEW, PEER } from "./receive-servers.ts";

export class ReceiveFindings extends RoundFindings {
  constructor() {
    super({ ours: CLEW, peer: PEER });
  }
}
