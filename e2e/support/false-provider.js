// A provider that says what it is told to: `node false-provider.js ISSUER AUDIENCE`. The code that is changed in is
// `LIE.NONCE`; the ID token holds but for that lie. Says "ready" when it listens.
import { createServer } from "node:http";
import { createHmac, generateKeyPairSync, sign } from "node:crypto";

const [issuer, audience] = process.argv.slice(2);
const newKey = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
const [ours, another] = [newKey(), newKey()];
const publicKey = ours.publicKey.export({ format: "jwk" });
const now = () => Math.floor(Date.now() / 1000);
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

const LIES = {
  none: () => ({}),
  nonce: () => ({ claims: { nonce: "another" } }),
  "no-nonce": () => ({ claims: { nonce: undefined } }),
  issuer: () => ({ claims: { iss: "http://evil.example" } }),
  audience: () => ({ claims: { aud: "another client" } }),
  "more-audiences": () => ({ claims: { aud: [audience, "another client"] } }),
  expired: () => ({ claims: { exp: now() - 60 } }),
  "no-expiry": () => ({ claims: { exp: undefined } }),
  key: () => ({ key: another.privateKey }),
  unsigned: () => ({ head: { alg: "none" }, signature: () => "" }),
  "secret-as-key": () => ({
    head: { alg: "HS256" },
    signature: (text) => createHmac("sha256", "the client's secret").update(text).digest("base64url"),
  }),
  "public-key-as-secret": () => ({
    head: { alg: "HS256" },
    signature: (text) =>
      createHmac("sha256", ours.publicKey.export({ format: "pem", type: "spki" })).update(text).digest("base64url"),
  }),
};

function idToken(code) {
  const [lie, nonce] = code.split(".");
  const { claims = {}, head = {}, key = ours.privateKey, signature } = LIES[lie]();
  const right = { iss: issuer, aud: audience, sub: "1", iat: now(), exp: now() + 300, nonce, preferred_username: "alice" };
  const text = `${encoded({ alg: "RS256", kid: "one", ...head })}.${encoded({ ...right, ...claims })}`;
  return `${text}.${signature ? signature(text) : sign("sha256", Buffer.from(text), key).toString("base64url")}`;
}

const DISCOVERY = {
  issuer,
  authorization_endpoint: `${issuer}/auth`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ["code"],
  subject_types_supported: ["public"],
  id_token_signing_alg_values_supported: ["RS256", "HS256", "none"],
};

async function answer(request) {
  if (request.url === "/.well-known/openid-configuration") return DISCOVERY;
  if (request.url === "/keys") return { keys: [{ ...publicKey, kid: "one", use: "sig", alg: "RS256" }] };
  let body = "";
  for await (const piece of request) body += piece;
  const code = new URLSearchParams(body).get("code");
  return { access_token: "x", token_type: "Bearer", expires_in: 300, id_token: idToken(code) };
}

createServer(async (request, response) => {
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(await answer(request)));
}).listen(Number(new URL(issuer).port), "127.0.0.1", () => console.log("ready"));
