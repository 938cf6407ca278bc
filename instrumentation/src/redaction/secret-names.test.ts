import { expect, test } from "vitest";
import { SecretNames } from "./secret-names.ts";

test.each([
  ...[
    "authorization",
    "Proxy-Authorization",
    "cookie",
    "Set-Cookie",
    "cookies",
    "req.headers.cookie",
  ],
  ...[
    "password",
    "PASSWORD",
    "userPassword",
    "db_password",
    "dbpassword",
    "password2",
    "passwd",
    "pwd",
  ],
  ...["passwordConfirmation", "passphrase", "secret", "client_secret", "clientSecret", "secretKey"],
  ...["token", "x-auth-token", "accessToken", "refresh_token", "id-token", "csrftoken", "TOKEN"],
  ...["apikey", "api_key", "x-api-key", "API-Key", "stripeApiKey", "awsAccessKey", "privateKey"],
  ...["creditCard", "card_number", "cardNumber", "cvv", "cvv2", "CVC", "pan", "cardPan"],
])("%s is the name of a secret", (name) => {
  expect(new SecretNames().has(name)).toBe(true);
});

test.each([
  ...["tokens_used", "max_tokens", "token_count", "tokenType", "passwordLength", "isPasswordSet"],
  ...["cookieName", "secretary", "span", "company", "pancake", "trace_span", "spwd", "author"],
  ...["key", "order_id", "keyboard", "", "-", "cards", "authorizationUrl", "card", "number"],
])("%s is harmless", (name) => {
  expect(new SecretNames().has(name)).toBe(false);
});

test("further names count whole and as last parts, in any spelling, and nowhere else", () => {
  const names = new SecretNames(["IBAN", "home-address", "naïve_größe", "-"]);
  const secret = ["iban", "customerIban", "customer.iban", "HomeAddress", "naïveGröße"];
  for (const name of secret) expect([name, names.has(name)]).toEqual([name, true]);
  for (const name of ["ibanCountry", "urbiban", "address", ""]) {
    expect([name, names.has(name)]).toEqual([name, false]);
  }
});

test("any number of names is decided, and long ones by their end", () => {
  const names = new SecretNames();
  for (let i = 0; i < 10_000; i++) expect(names.has(`field-${i}`)).toBe(false);
  expect(names.has(`${"x".repeat(100_000)}Password`)).toBe(true);
  expect(names.has("password")).toBe(true);
});
