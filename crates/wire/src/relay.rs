//! The relay: messages and what became of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of `POST /api/placeMessage` and `POST /api/v1/messages`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct PlaceMessage {
    /// The text; at most 64 KiB of UTF-8.
    #[schema(example = "hello")]
    pub message: String,
    /// The mail's subject; else the first line of the text.
    #[serde(default)]
    pub subject: Option<String>,
    /// Who is to get it, of those that `MAIL_TO` names: one or several.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>)]
    pub to: Recipients,
    /// 1 (highest) to 5 (lowest).
    #[serde(default)]
    pub priority: Option<u8>,
    /// What makes messages alike.
    #[serde(default)]
    pub dedupe_key: Option<String>,
}

/// One address or several.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub enum Recipients {
    /// Nobody in particular.
    #[default]
    Usual,
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// A message was accepted, and is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Accepted {
    /// Its id.
    pub id: String,
    /// `queued`, or `held` where no mail server is configured.
    pub status: String,
}

/// A message and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// `held`, `queued`, `sent` or `failed`.
    pub status: String,
    /// When it was accepted.
    pub accepted_at: String,
    /// Whose program sent it.
    pub user: String,
    /// Its subject, where it has one.
    pub subject: Option<String>,
    /// Its text.
    pub message: String,
    /// 1 (highest) to 5 (lowest).
    pub priority: u8,
    /// What makes messages alike.
    pub dedupe_key: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// The mail server's last words.
    pub last_words: Option<String>,
    /// When it is tried next, while it is queued; `null` is at once.
    pub next_attempt_at: Option<String>,
    /// When it was sent or given up.
    pub ended_at: Option<String>,
}

/// A page of messages, latest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Messages {
    /// The messages.
    pub messages: Vec<Message>,
    /// Where the next page begins; `null` on the last.
    pub cursor: Option<u64>,
}
