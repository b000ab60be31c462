//! The provider of single sign-on, by OpenID Connect: code flow with PKCE.

use std::{future::Future, pin::Pin, time::Duration};

use app::ports::{IdentityProvider, ProviderAnswer, ProviderError, SignOnSecrets};
use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::account::Claims;
use openidconnect::{
    AsyncHttpClient, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, TokenResponse,
    core::{CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreJwsSigningAlgorithm, CoreProviderMetadata},
};
use tokio::{sync::Mutex, time::Instant};

/// How long what the provider says of itself counts: its keys change seldom, and
/// an ID token of a key that is not known has it asked again.
const KNOWN_FOR: Duration = Duration::from_secs(60 * 60);

/// How long it is not asked again, so that no answer of its makes us ask without end.
const ASKED_AT_MOST_EVERY: Duration = Duration::from_secs(60);

/// How long it is taken for away without being asked: a crowd waits for one call.
const AWAY_FOR: Duration = Duration::from_secs(2);

/// How long it may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes: tokens and keys are a few KB.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;

/// The algorithms by which an ID token may be signed: those with a public key.
const SIGNED_BY: [CoreJwsSigningAlgorithm; 7] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Where the provider is, and who we are there.
pub struct OidcSettings {
    /// Its address, exactly as it names itself.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: String,
    /// What it is asked for.
    pub scopes: Vec<String>,
    /// Where it sends browsers back to.
    pub redirect_url: String,
}

/// Why settings make no provider.
#[derive(Debug, thiserror::Error)]
pub enum OidcSettingsError {
    /// An address is none.
    #[error(transparent)]
    Address(#[from] openidconnect::url::ParseError),
    /// There is no TLS, for example.
    #[error(transparent)]
    Client(#[from] reqwest::Error),
}

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// A provider that is asked over the network.
pub struct OidcProvider {
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    scopes: Vec<Scope>,
    redirect_url: RedirectUrl,
    http: Http,
    known: Mutex<Option<Known>>,
}

/// What came of asking it last.
struct Known {
    client: Result<Client, ProviderError>,
    since: Instant,
}

/// Sends requests, follows no redirects, and reads no endless answers.
struct Http(reqwest::Client);

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
enum HttpError {
    #[error("{}", in_full(.0))]
    Request(#[from] reqwest::Error),
    #[error(transparent)]
    Answer(#[from] openidconnect::http::Error),
    #[error("the answer is longer than {MAX_ANSWER_BYTES} bytes")]
    TooLong,
}

impl OidcProvider {
    /// The provider; it is not asked yet.
    ///
    /// # Errors
    /// [`OidcSettingsError`].
    pub fn new(settings: OidcSettings) -> Result<OidcProvider, OidcSettingsError> {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(ANSWERS_WITHIN);
        Ok(OidcProvider {
            issuer: IssuerUrl::new(settings.issuer)?,
            client_id: ClientId::new(settings.client_id),
            client_secret: ClientSecret::new(settings.client_secret),
            // The library asks for that one by itself.
            scopes: settings.scopes.into_iter().filter(|scope| scope != "openid").map(Scope::new).collect(),
            redirect_url: RedirectUrl::new(settings.redirect_url)?,
            http: Http(http.build()?),
            known: Mutex::new(None),
        })
    }

    /// Who we are at the provider, by what it said of itself at most `max_age` ago.
    async fn client(&self, max_age: Duration) -> Result<Client, ProviderError> {
        let mut known = self.known.lock().await;
        if let Some(Known { client, since }) = known.as_ref() {
            let counts_for = if client.is_ok() { max_age } else { AWAY_FOR };
            if since.elapsed() < counts_for {
                return client.clone();
            }
        }
        let client = self.discovered().await;
        *known = Some(Known { client: client.clone(), since: Instant::now() });
        client
    }

    async fn discovered(&self) -> Result<Client, ProviderError> {
        let asked = CoreProviderMetadata::discover_async(self.issuer.clone(), &self.http).await;
        let metadata = asked.map_err(|error| ProviderError::Unreachable(in_full(&error)))?;
        let secret = Some(self.client_secret.clone());
        let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), secret);
        Ok(client.set_redirect_uri(self.redirect_url.clone()))
    }

    /// Changes the code in for an ID token.
    async fn id_token(&self, code: &str, verifier: &str) -> Result<CoreIdToken, ProviderError> {
        let client = self.client(KNOWN_FOR).await?;
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| ProviderError::Unreachable(error.to_string()))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let answer = request.request_async(&self.http).await.map_err(|error| match error {
            RequestTokenError::Request(error) => ProviderError::Unreachable(in_full(&error)),
            RequestTokenError::ServerResponse(refusal) => ProviderError::Refused(refusal.to_string()),
            RequestTokenError::Parse(..) => {
                ProviderError::Refused("its answer to the code is no JSON of a token".into())
            }
            RequestTokenError::Other(reason) => ProviderError::Refused(reason),
        })?;
        let token = answer.id_token().cloned();
        token.ok_or_else(|| ProviderError::Refused("it gave no ID token; OIDC_SCOPES must hold openid".into()))
    }

    /// Proves that the token is the provider's, for us, for this sign-on, and has not ended.
    async fn prove(&self, token: &CoreIdToken, nonce: &Nonce) -> Result<(), ProviderError> {
        match proved(&self.client(KNOWN_FOR).await?, token, nonce) {
            // The provider may have new keys.
            Err(ClaimsVerificationError::SignatureVerification(_)) => {
                proved(&self.client(ASKED_AT_MOST_EVERY).await?, token, nonce)
            }
            first => first,
        }
        .map_err(|error| ProviderError::Refused(format!("its ID token does not hold: {}", in_full(&error))))
    }
}

#[async_trait]
impl IdentityProvider for OidcProvider {
    async fn reach(&self) -> Result<(), ProviderError> {
        self.client(KNOWN_FOR).await.map(drop)
    }

    async fn address(&self, secrets: &SignOnSecrets) -> Result<String, ProviderError> {
        let client = self.client(KNOWN_FOR).await?;
        let (state, nonce) = (secrets.state.clone(), secrets.nonce.clone());
        let verifier = PkceCodeVerifier::new(secrets.verifier.clone());
        let (address, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok(address.into())
    }

    async fn claims(&self, answer: &ProviderAnswer, secrets: &SignOnSecrets) -> Result<Claims, ProviderError> {
        if answer.issuer.as_ref().is_some_and(|issuer| issuer != self.issuer.as_str()) {
            return Err(ProviderError::Refused("the answer names another issuer".into()));
        }
        let token = self.id_token(&answer.code, &secrets.verifier).await?;
        self.prove(&token, &Nonce::new(secrets.nonce.clone())).await?;
        let unreadable = || ProviderError::Refused("its ID token cannot be read".into());
        claims_of(&token.to_string()).ok_or_else(unreadable)
    }
}

fn proved(client: &Client, token: &CoreIdToken, nonce: &Nonce) -> Result<(), ClaimsVerificationError> {
    let verifier = client.id_token_verifier().set_allowed_algs(SIGNED_BY);
    token.claims(&verifier, nonce).map(drop)
}

/// All claims of a token that is proved; the library gives those that it knows.
fn claims_of(token: &str) -> Option<Claims> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice(&payload).ok()
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let mut answer = self.0.execute(request.try_into()?).await?;
            let mut body = Vec::new();
            while let Some(piece) = answer.chunk().await? {
                body.extend_from_slice(&piece);
                if body.len() > MAX_ANSWER_BYTES {
                    return Err(HttpError::TooLong);
                }
            }
            let mut whole = openidconnect::http::Response::builder().status(answer.status());
            for (name, value) in answer.headers() {
                whole = whole.header(name, value);
            }
            Ok(whole.body(body)?)
        })
    }
}

/// The words of an error and of what caused it.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !words.contains(&said) {
            words = format!("{words}: {said}");
        }
        cause = deeper.source();
    }
    words
}
