import { expect, test } from "vitest";
import { redactText } from "./redact-text.ts";
import { SecretNames } from "./secret-names.ts";

const names = new SecretNames();
const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_x";
const KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----";

test.each<[string, string]>([
  ["Authorization: Bearer abc.def, user=ann", "Authorization: [redacted], user=ann"],
  ["authorization: Basic dXNlcjpwYXNz", "authorization: [redacted]"],
  ['Authorization: Digest username="a", response="b"\nnext', "Authorization: [redacted]\nnext"],
  ["sent Bearer abcdef123456 twice", "sent Bearer [redacted] twice"],
  ["Basic dXNlcjpwYXNz done", "Basic [redacted] done"],
  ['Cookie: a="b"; c=d\nnext', "Cookie: [redacted]\nnext"],
  ["curl -H 'Cookie: a=b; c=d' http://x", "curl -H 'Cookie: [redacted]' http://x"],
  ["password=hunter2", "password=[redacted]"],
  ["password = hunter2 user=ann", "password = [redacted] user=ann"],
  ["login(user=ann, password=hunter2)", "login(user=ann, password=[redacted])"],
  ["password=a,b,c user=x", "password=[redacted] user=x"],
  ["Server=db;Password=hunter2;User=x", "Server=db;Password=[redacted];User=x"],
  ["/cb?token=abc&state=1#x", "/cb?token=[redacted]&state=1#x"],
  ['{"password":"hu\\"nter2","user":1}', '{"password":"[redacted]","user":1}'],
  ['{\\"token\\":\\"abc\\",\\"b\\":1}', '{\\"token\\":\\"[redacted]\\",\\"b\\":1}'],
  ['{"cvv":123,"b":1}', '{"cvv":[redacted],"b":1}'],
  ['{"secrets":{"a":"x","b":["y"]},"c":1}', '{"secrets":[redacted],"c":1}'],
  ["{ userPassword: 'hunter2', user: 'ann' }", "{ userPassword: '[redacted]', user: 'ann' }"],
  ["Map(1) { 'password' => 'hunter2' }", "Map(1) { 'password' => '[redacted]' }"],
  ["token:\n    'line one\\n' +\n    'line two',\n  a: 1", "token:\n    '[redacted]',\n  a: 1"],
  ["env['API_KEY'] = 'abc'", "env['API_KEY'] = '[redacted]'"],
  ["the api key: sk_live_1 is old", "the api key: [redacted] is old"],
  ["postgres://bob:p@ss@db:5432/x", "postgres://[redacted]@db:5432/x"],
  ["redis://:pw@cache and ftp://a:b@c", "redis://[redacted]@cache and ftp://[redacted]@c"],
  ["https://x-access-token:ghp_1@github.com/a", "https://[redacted]@github.com/a"],
  [`got ${JWT} from them`, "got [redacted] from them"],
  [`key ${KEY} end`, "key [redacted] end"],
  ["card 4111 1111 1111 1111 declined", "card [redacted] declined"],
  [
    "password: undefined, token: null, secret: true",
    "password: undefined, token: null, secret: true",
  ],
  ["password: [Redacted] token=[redacted]", "password: [Redacted] token=[redacted]"],
])("%j is shown as %j", (text, want) => {
  expect(redactText(text, names)).toBe(want);
  expect(redactText(want, names)).toBe(want);
});

test.each([
  ...[
    "the order was paid",
    "GET http://localhost:8080/orders?page=2 200 12:30:45",
    "mail a@b.example",
  ],
  ...["tokens_used=5 max_tokens: 12", "token === undefined", "Basic validation failed", ""],
  ...[
    "bearer token missing",
    "Bearer authentication required",
    "ssh://git@host/x",
    "eyJ is no token",
  ],
  ...[
    "0190a8c0-7b5e-7000-8000-123456789012",
    "trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "password:",
  ],
])("%j stays as it is", (text) => {
  expect(redactText(text, names)).toBe(text);
});

/** Each of these would take minutes where work grew with the square of the length. */
test.each([
  ...[
    ":",
    "a:",
    "password=",
    "//a:",
    "@",
    "eyJ",
    "1 ",
    "password='",
    "password:{",
    "'+'",
    "Bearer ",
  ],
  ...[")", "\\", "-----BEGIN PRIVATE KEY-----", "4111 ", "//a:@", "token='+"],
])("64 KiB of %j are read in linear time", (piece) => {
  const texts = [
    piece.repeat(65_536 / piece.length),
    `password=${piece.repeat(60_000 / piece.length)}x`,
  ];
  for (const text of texts) expect(redactText(text, names).length).toBeLessThan(1_000_000);
});
