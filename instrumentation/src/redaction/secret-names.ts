/**
 * Names whose values are secrets, in the form that `normalize` gives: lower case, letters and
 * digits only. Each also counts as the last part of a longer name (`userPassword`, `x-auth-token`).
 */
const SECRET_NAMES = [
  ...["authorization", "cookie", "cookies"],
  ...["password", "passwords", "passwd", "pwd", "passphrase"],
  ...["passwordconfirmation", "passwordconfirm"],
  ...["secret", "secrets", "token", "apikey", "accesskey", "secretkey", "privatekey"],
  ...["creditcard", "creditcardnumber", "cardnumber", "ccnumber", "pan"],
  ...["cvv", "cvv2", "cvc", "cvc2", "cardsecuritycode"],
];

/**
 * From this length on a name also counts where no part begins (`dbpassword`, `accesstoken`): no
 * other word ends in it. Shorter ones would hit `span` and `company`.
 */
const UNMISTAKABLE_LENGTH = 5;
const NAME_CHARACTERS_MAX = 256;
/** Names come from code, but also from users' data: the memory of them is bounded. */
const REMEMBERED_MAX = 4096;

/**
 * Decides by a field's name whether its value is a secret. Harmless are names in which a secret's
 * name is not the last part (`tokens_used`, `max_tokens`, `passwordLength`, `token_count`).
 * Decisions are remembered: 20 ns for a name that was met before.
 */
export class SecretNames {
  readonly #names: ReadonlySet<string>;
  readonly #unmistakable: readonly string[];
  readonly #remembered = new Map<string, boolean>();

  /** @param more further names, in any spelling; they count whole or as last parts */
  constructor(more: readonly string[] = []) {
    const own = more.map((name) => partsOf(name).join("")).filter((name) => name !== "");
    this.#names = new Set([...SECRET_NAMES, ...own]);
    this.#unmistakable = SECRET_NAMES.filter((name) => name.length >= UNMISTAKABLE_LENGTH);
  }

  has(name: string): boolean {
    const known = this.#remembered.get(name);
    if (known !== undefined) return known;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    const decision = this.#decide(name.slice(-NAME_CHARACTERS_MAX));
    if (name.length <= NAME_CHARACTERS_MAX) this.#remembered.set(name, decision);
    return decision;
  }

  #decide(name: string): boolean {
    const parts = partsOf(name);
    let last = "";
    for (let index = parts.length - 1; index >= 0; index--) {
      last = parts[index] + last;
      if (this.#names.has(last)) return true;
    }
    const withoutNumber = last.replace(/\d+$/, "");
    return (
      this.#names.has(withoutNumber) ||
      this.#unmistakable.some((secret) => withoutNumber.endsWith(secret))
    );
  }
}

/** `X-API-Key`, `apiKey`, `api_key` and `APIKey` are all "api", "key". */
function partsOf(name: string): string[] {
  return name
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1 $2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1 $2")
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((part) => part !== "");
}
