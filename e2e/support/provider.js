// A provider of single sign-on on loopback: `node provider.js ISSUER REDIRECT_URI PEOPLE`, where
// PEOPLE is JSON, claims by the name of who signs in there. Says "ready" when it listens.
import { Provider } from "oidc-provider";
import { generateKeyPairSync, randomBytes } from "node:crypto";

const [issuer, redirectUri, people] = process.argv.slice(2);
const claimsOf = JSON.parse(people);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const provider = new Provider(issuer, {
  clients: [{ client_id: "vpn-sessions", client_secret: "the client's secret", redirect_uris: [redirectUri] }],
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "one" }] },
  cookies: { keys: [randomBytes(16).toString("hex")] },
  // As Entra ID, Keycloak and Google do, the claims stand in the ID token.
  conformIdTokenClaims: false,
  claims: { openid: ["sub"], profile: ["preferred_username", "groups"], email: ["email", "email_verified"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...claimsOf[id] }) }),
});
provider.listen(Number(new URL(issuer).port), "127.0.0.1", () => console.log("ready"));
