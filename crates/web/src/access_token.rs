//! Access tokens: JWTs (RFC 7519), HS256 over the bytes of `SECRET_KEY`. No
//! other algorithm is taken, whatever a token's head says.

use app::accounts::{Credential, ProgramSignIn};
use domain::{
    account::{SIGN_IN_LIFE, SignIn, SignInId},
    names::UserName,
};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

const ISSUER: &str = "vpn-sessions";

/// Signs and proves access tokens.
pub struct AccessTokens {
    signing: EncodingKey,
    proving: DecodingKey,
    validation: Validation,
}

/// A token could not be signed: the machine's cryptography refuses.
#[derive(Debug, thiserror::Error)]
#[error("the access token could not be signed: {0}")]
pub struct SigningError(String);

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    jti: String,
    /// The account's version: with another one a program's token is none any more.
    #[serde(default)]
    ver: u64,
}

/// For whom a token is good.
const BROWSER: &str = "vpn-sessions browser";
const PROGRAM: &str = "vpn-sessions program";

impl AccessTokens {
    /// Tokens over that secret.
    pub fn new(secret: &[u8]) -> AccessTokens {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[BROWSER, PROGRAM]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "jti"]);
        // The end is compared with the clock port's time, in `credential`.
        validation.validate_exp = false;
        AccessTokens {
            signing: EncodingKey::from_secret(secret),
            proving: DecodingKey::from_secret(secret),
            validation,
        }
    }

    /// A browser's token, as good as its sign-in.
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn for_sign_in(&self, sign_in: &SignIn) -> Result<String, SigningError> {
        let jti = sign_in.id.as_str().to_owned();
        self.sign(Claims { jti, ..claims(BROWSER, &sign_in.user, sign_in.at, SIGN_IN_LIFE) })
    }

    /// A program's token.
    ///
    /// # Errors
    /// [`SigningError`].
    pub fn for_program(
        &self,
        signed_in: &ProgramSignIn,
        now: Timestamp,
        life: SignedDuration,
        jti: &str,
    ) -> Result<String, SigningError> {
        let (jti, ver) = (jti.to_owned(), signed_in.version);
        self.sign(Claims { jti, ver, ..claims(PROGRAM, &signed_in.user, now, life) })
    }

    /// What a token proves, if it is ours and has not ended.
    pub fn credential(&self, token: &str, now: Timestamp) -> Option<Credential> {
        let claims = decode::<Claims>(token, &self.proving, &self.validation).ok()?.claims;
        let expires_at = Timestamp::from_second(claims.exp).ok()?;
        if expires_at <= now {
            return None;
        }
        match claims.aud.as_str() {
            BROWSER => Some(Credential::SignIn(SignInId::named(&claims.jti))),
            PROGRAM => {
                let user = UserName::parse(&claims.sub).ok()?;
                Some(Credential::AccessToken { user, version: claims.ver, expires_at })
            }
            _ => None,
        }
    }

    fn sign(&self, claims: Claims) -> Result<String, SigningError> {
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing).map_err(|error| SigningError(error.to_string()))
    }
}

fn claims(aud: &str, user: &UserName, now: Timestamp, life: SignedDuration) -> Claims {
    Claims {
        iss: ISSUER.into(),
        aud: aud.into(),
        sub: user.as_str().into(),
        iat: now.as_second(),
        exp: (now + life).as_second(),
        jti: String::new(),
        ver: 0,
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn token(tokens: &AccessTokens) -> String {
        let alice = ProgramSignIn { user: UserName::parse("alice").unwrap(), version: 3 };
        tokens.for_program(&alice, at("2026-11-24T09:00:00Z"), SignedDuration::from_mins(60), "a").unwrap()
    }

    #[test]
    fn a_token_is_good_until_it_ends() {
        let tokens = AccessTokens::new(&[7; 32]);
        let token = token(&tokens);
        let credential = tokens.credential(&token, at("2026-11-24T09:59:59Z"));
        assert!(matches!(credential, Some(Credential::AccessToken { version: 3, .. })));
        assert!(tokens.credential(&token, at("2026-11-24T10:00:00Z")).is_none());
    }

    #[test]
    fn tokens_of_others_are_worth_nothing() {
        let tokens = AccessTokens::new(&[7; 32]);
        let now = at("2026-11-24T09:30:00Z");
        let token = token(&tokens);
        assert!(AccessTokens::new(&[8; 32]).credential(&token, now).is_none());
        let (head, rest) = token.split_once('.').unwrap();
        let (claims, signature) = rest.split_once('.').unwrap();
        let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let hs512 = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
        let admin = BASE64_URL_SAFE_NO_PAD.encode(
            r#"{"iss":"vpn-sessions","aud":"vpn-sessions program","sub":"promon","iat":0,"exp":9999999999,"jti":"a"}"#,
        );
        for forged in [
            format!("{none}.{claims}."),
            format!("{hs512}.{claims}.{signature}"),
            format!("{head}.{admin}.{signature}"),
            format!("{head}.{claims}."),
            format!("{head}.{claims}"),
            String::new(),
            "...".into(),
        ] {
            assert!(tokens.credential(&forged, now).is_none(), "{forged}");
        }
    }
}
