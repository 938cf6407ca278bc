/** Help texts of `clew dead-letters` and what it does. */
import { VARIABLE } from "../../config.ts";

const CLIENT_OPTIONS = `  --json              one JSON object per line; for show one object
  --url URL           the collector's address (default http://127.0.0.1:4320,
                      from ${VARIABLE.host} and ${VARIABLE.port});
                      its token is the first of ${VARIABLE.adminTokens}
  --help              this text
`;

const FILTER_OPTIONS = `  --reason REASON     refused, too_large or undecodable
  --service NAME      of this service only
  --transaction ID    of this transaction only
  --since TIME        refused since 15m, 2h, 1d, or a time as in 2026-01-31T12:00:00Z
`;

export const DEAD_LETTERS_HELP = `\
Looks at records that the store refused for good, sends them again, or discards them.

  clew dead-letters ls        what was refused, by cause; or each
  clew dead-letters show      one, with its original
  clew dead-letters replay    send again, as they were or edited
  clew dead-letters discard   say that they will not be stored, and why

Example: clew dead-letters ls --since 1d
Each has its own help: clew dead-letters replay --help
`;

const LS_HELP = `Lists dead letters: how many for which cause, or each of them.

  clew dead-letters ls [options]

  --each              one line per letter, refused last first; --transaction implies it
  --state STATE       open (the default), replayed, edited, discarded or all
${FILTER_OPTIONS}  --limit N           at most so many lines, up to 1000 (default 100)
${CLIENT_OPTIONS}
Exit code: 0 there are some, 1 none or failed, 2 wrong usage.
Example: clew dead-letters ls --each --reason too_large --since 2h
`;

const SHOW_HELP = `Shows one dead letter: why it was refused, what was done with it, what it holds.

  clew dead-letters show <id> [options]

  --original          only the original, as replay --edited takes it
${CLIENT_OPTIONS}
Exit code: 0 found, 1 not found or failed, 2 wrong usage.
Example: clew dead-letters show 019a9f3e-5b7c-7d3e-9a51-0c2f6f1d2b3a-0 --original > letter.json
`;

const ACT_OPTIONS = `  --all               all open ones
${FILTER_OPTIONS}  --state STATE       with a filter: in this state (default open)
  --limit N           with a filter: at most so many
  --because TEXT      why, kept with your token's name
  --dry-run           only say what would be done
  --yes, -y           do not ask; on a terminal more than one are asked about
`;

const REPLAY_HELP = `\
Sends dead letters to the store again. Each keeps its id: sent twice, it is stored once.

  clew dead-letters replay <id…> [options]
  clew dead-letters replay --all|--reason|--service|--transaction|--since … [options]

  --edited FILE       with one id: what is sent in its place, OTLP/JSON or protobuf in base64;
                      the original is kept beside it
${ACT_OPTIONS}${CLIENT_OPTIONS}
Exit code: 0 all were sent, 1 some were not, 2 wrong usage.
Example: clew dead-letters replay --reason refused --since 2h --because "mapping is mended"
Example: clew dead-letters replay 019a9f3e-…-17 --edited letter.json --because "price was a text"
`;

const DISCARD_HELP = `\
Says of dead letters that they will not be stored, and why. They are kept until their day is over.

  clew dead-letters discard <id…> --because TEXT [options]
  clew dead-letters discard --all|--reason|--service|--transaction|--since … --because TEXT

${ACT_OPTIONS}${CLIENT_OPTIONS}
Exit code: 0 all were discarded, 1 some were not, 2 wrong usage.
Example: clew dead-letters discard --service load-test --because "made by a load test"
`;

const HELP_BY_VERB: Readonly<Record<string, string>> = {
  ls: LS_HELP,
  show: SHOW_HELP,
  replay: REPLAY_HELP,
  discard: DISCARD_HELP,
};

/** Of what is to be done; of the command as a whole where that is not said. */
export function deadLettersHelp(args: readonly string[]): string {
  const [verb = ""] = args;
  return (Object.hasOwn(HELP_BY_VERB, verb) && HELP_BY_VERB[verb]) || DEAD_LETTERS_HELP;
}
