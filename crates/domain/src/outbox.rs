//! The relay's outbox: messages accepted, and what became of them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{names::UserName, session::hexadecimal};

#[cfg(test)]
mod tests;

/// Longest message, in bytes of UTF-8.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Longest subject, in characters: what mail programs show of one.
pub const MAX_SUBJECT_CHARS: usize = 200;

/// Longest `dedupe_key`, in characters.
pub const MAX_DEDUPE_KEY_CHARS: usize = 200;

/// Wait after the first failed attempt; each further one doubles it.
pub const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(30);

/// Longest wait between attempts.
pub const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(15);

/// How long a message is tried (RFC 5321, 4.5.4.1: at least 4 to 5 days).
pub const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);

/// A held message older than this is not sent when a mail server is set: it is no news.
pub const HELD_IS_NEWS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How many messages at an end are remembered for those who ask.
pub const REMEMBERED_ENDED_MESSAGES: usize = 10_000;

/// Most messages that are queued at once: a day's storm, kept in memory.
pub const MAX_QUEUED_MESSAGES: usize = 10_000;

/// Most messages that are held at once; the oldest is given up for one more.
pub const MAX_HELD_MESSAGES: usize = 10_000;

/// Most bytes of text that are kept in memory, of messages that wait and of
/// those at an end, which are forgotten first.
pub const MAX_OUTBOX_BYTES: usize = 256 * 1024 * 1024;

/// What is said of a held message that is given up.
pub const GIVEN_UP_WORDS: &str = "given up: too many messages are held, and no mail server is configured";

/// The longest words of a mail server that are kept, in characters.
pub const MAX_WORDS_CHARS: usize = 1_000;

/// The id of a message: 128 random bits as 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(String);

impl MessageId {
    /// An id of fresh random bits.
    pub fn of_bits(bits: [u8; 16]) -> MessageId {
        MessageId(hexadecimal(bits))
    }

    /// Whatever a client names as an id.
    pub fn named(text: &str) -> MessageId {
        MessageId(text.to_owned())
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A message as it was accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The `Message-ID` of its mail (RFC 5322), with its angle brackets; the
    /// same for every attempt.
    pub message_id: String,
    /// Whose program sent it.
    pub user: UserName,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Its text.
    pub text: String,
    /// Its subject, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// 1 (highest) to 5 (lowest).
    #[serde(default = "usual_priority")]
    pub priority: u8,
    /// What makes messages alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dedupe_key: Option<String>,
    /// Who is to get it; empty for those who usually do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

/// Priority of a message that names none.
pub fn usual_priority() -> u8 {
    3
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Kept; no mail server is configured.
    Held,
    /// To be mailed.
    Queued,
    /// Taken by the mail server.
    Sent,
    /// Given up.
    Failed,
}

impl Status {
    /// Reads `held`, `queued`, `sent` or `failed`.
    pub fn parse(text: &str) -> Option<Status> {
        [Status::Held, Status::Queued, Status::Sent, Status::Failed].into_iter().find(|status| status.name() == text)
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Held => "held",
            Status::Queued => "queued",
            Status::Sent => "sent",
            Status::Failed => "failed",
        }
    }
}

/// A message and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// As accepted.
    pub message: Arc<Message>,
    /// Where it stands.
    pub status: Status,
    /// How often it was tried.
    pub attempts: u32,
    /// The mail server's last words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_words: Option<String>,
    /// When it is tried next, while it is queued; `None` is at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<Timestamp>,
    /// When it was sent or given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Its place among all messages.
    pub place: u64,
}

/// How an attempt to mail a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The mail server took it.
    Taken {
        /// Its words.
        words: String,
    },
    /// Not this time (RFC 5321: 4yz, or no session at all).
    Transient {
        /// Its words, or what went wrong.
        words: String,
    },
    /// Never (RFC 5321: 5yz).
    Permanent {
        /// Its words, or what is wrong.
        words: String,
    },
}

/// What is wanted of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RelayCommand {
    /// Keep a message, and mail it where there is a mail server.
    Accept {
        /// The message.
        message: Arc<Message>,
        /// Whether a mail server is configured.
        can_mail: bool,
    },
    /// Note how an attempt ended.
    NoteAttempt {
        /// Of which message.
        id: MessageId,
        /// How.
        result: AttemptResult,
        /// When.
        at: Timestamp,
        /// Spreads the waits: 0 to 255, a fraction of a quarter of the wait.
        jitter: u8,
    },
    /// Queue what is held and still news.
    QueueHeld {
        /// What time it is.
        now: Timestamp,
    },
    /// Queue a message that failed or is held, or try one at once that waits.
    Retry {
        /// Which one.
        id: MessageId,
        /// Whether a mail server is configured; without one nothing can be tried.
        can_mail: bool,
    },
}

/// What is recorded of the relay, in the stream `relay`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "body")]
pub enum RelayFact {
    /// A message was accepted.
    Accepted {
        /// The message.
        message: Arc<Message>,
        /// Held or queued.
        status: Status,
    },
    /// A message was queued that was held or had failed.
    Queued {
        /// Which one.
        id: MessageId,
    },
    /// A held message was given up.
    GivenUp {
        /// Which one.
        id: MessageId,
        /// When.
        at: Timestamp,
    },
    /// An attempt was made.
    Attempted {
        /// Of which message.
        id: MessageId,
        /// Where the message stands after it.
        status: Status,
        /// The mail server's words.
        words: String,
        /// When the attempt ended.
        at: Timestamp,
        /// When the next one is, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_attempt_at: Option<Timestamp>,
    },
}

impl RelayFact {
    /// Which message it is about.
    pub fn message_id(&self) -> &MessageId {
        match self {
            RelayFact::Accepted { message, .. } => &message.id,
            RelayFact::Queued { id } | RelayFact::GivenUp { id, .. } | RelayFact::Attempted { id, .. } => id,
        }
    }
}

/// The rules' no.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayRefusal {
    /// No message has that id.
    #[error("there is no message {0}")]
    UnknownMessage(MessageId),
    /// Too many wait already.
    #[error("as many messages wait as can be kept; try again when the mail server takes them")]
    Full,
    /// There is nobody to hand it to.
    #[error("no mail server is configured; set MAIL_SERVER, and the message can be tried again")]
    NoMailServer,
    /// It was sent: a second time would be a second mail.
    #[error("the message {0} was sent already")]
    AlreadySent(MessageId),
}

/// What the outbox is made of, in a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxItem {
    /// The place of the last message that was accepted, remembered or not.
    LastPlace(u64),
    /// A message; those at an end come in the order in which they ended.
    Message(Tracked),
}

/// All messages that wait, and the latest that do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    messages: BTreeMap<MessageId, Tracked>,
    order: BTreeMap<u64, MessageId>,
    held: BTreeSet<u64>,
    queued: BTreeSet<u64>,
    bytes: usize,
    ended_bytes: usize,
    ended_first: VecDeque<MessageId>,
    last_place: u64,
}

impl Outbox {
    /// Decides a command; changes nothing.
    ///
    /// # Errors
    /// The [`RelayRefusal`] that the rules give.
    pub fn decide(&self, command: RelayCommand) -> Result<Vec<RelayFact>, RelayRefusal> {
        match command {
            RelayCommand::Accept { message, can_mail } => self.accept(message, can_mail),
            RelayCommand::NoteAttempt { id, result, at, jitter } => {
                let tracked = self.find(&id).ok_or(RelayRefusal::UnknownMessage(id))?;
                Ok(after_attempt(tracked, result, at, jitter).into_iter().collect())
            }
            RelayCommand::QueueHeld { now } => Ok(self.queue_held(now)),
            RelayCommand::Retry { id, can_mail } => self.retry(id, can_mail),
        }
    }

    /// Makes a fact part of the state.
    pub fn apply(&mut self, fact: &RelayFact) {
        match fact {
            RelayFact::Accepted { message, status } => self.keep(message.clone(), *status),
            RelayFact::Queued { id } => self.requeue(id),
            RelayFact::Attempted { id, status, words, at, next_attempt_at } => {
                let Some(tracked) = self.messages.get_mut(id) else { return };
                tracked.attempts += 1;
                tracked.last_words = Some(words.clone());
                tracked.next_attempt_at = *next_attempt_at;
                if matches!(status, Status::Sent | Status::Failed) {
                    self.end(id, *status, *at);
                }
            }
            RelayFact::GivenUp { id, at } => {
                let Some(tracked) = self.messages.get_mut(id) else { return };
                tracked.last_words = Some(GIVEN_UP_WORDS.into());
                self.end(id, Status::Failed, *at);
            }
        }
    }

    /// What this outbox is made of: an empty one that takes it all is the same.
    pub fn snapshot(&self) -> impl Iterator<Item = OutboxItem> + '_ {
        let waiting = self.order.values().filter_map(|id| self.find(id)).filter(|tracked| tracked.ended_at.is_none());
        let ended = self.ended_first.iter().filter_map(|id| self.find(id));
        let messages = waiting.chain(ended).map(|tracked| OutboxItem::Message(tracked.clone()));
        [OutboxItem::LastPlace(self.last_place)].into_iter().chain(messages)
    }

    /// Takes a piece of a snapshot; they come in its order.
    pub fn restore(&mut self, item: OutboxItem) {
        match item {
            OutboxItem::LastPlace(place) => self.last_place = place,
            OutboxItem::Message(tracked) => self.put_back(tracked),
        }
    }

    /// A message, while it is remembered.
    pub fn find(&self, id: &MessageId) -> Option<&Tracked> {
        self.messages.get(id)
    }

    /// Forgets the messages whose end was before `cutoff`.
    pub fn forget_ended_before(&mut self, cutoff: Timestamp) {
        let messages = &self.messages;
        let is_old =
            |id: &MessageId| messages.get(id).and_then(|tracked| tracked.ended_at).is_some_and(|at| at < cutoff);
        let old: Vec<MessageId> = self.ended_first.iter().filter(|id| is_old(id)).cloned().collect();
        if old.is_empty() {
            return;
        }
        self.ended_first.retain(|id| !is_old(id));
        old.iter().for_each(|id| self.forget(id));
    }

    /// Messages, latest first, from before a place on.
    pub fn latest(&self, before: u64) -> impl Iterator<Item = &Tracked> {
        self.order.range(..before).rev().filter_map(|(_, id)| self.messages.get(id))
    }

    /// Queued messages that are due by then, oldest first.
    pub fn due(&self, now: Timestamp) -> impl Iterator<Item = &Tracked> {
        self.at(&self.queued).filter(move |tracked| tracked.next_attempt_at.is_none_or(|at| at <= now))
    }

    /// When the next queued message is due; `None` when none is queued.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.at(&self.queued).map(|tracked| tracked.next_attempt_at.unwrap_or(tracked.message.accepted_at)).min()
    }

    /// Lets every queued message be tried at once, as after a restart.
    pub fn forget_waits(&mut self) {
        self.messages.values_mut().for_each(|tracked| tracked.next_attempt_at = None);
    }

    /// How many messages are not at an end.
    pub fn waiting(&self) -> usize {
        self.queued.len() + self.held.len()
    }

    fn at<'a>(&'a self, places: &'a BTreeSet<u64>) -> impl Iterator<Item = &'a Tracked> {
        places.iter().filter_map(|place| self.messages.get(self.order.get(place)?))
    }

    fn accept(&self, message: Arc<Message>, can_mail: bool) -> Result<Vec<RelayFact>, RelayRefusal> {
        let waiting_bytes = self.bytes - self.ended_bytes;
        let fits = waiting_bytes + message.text.len() <= MAX_OUTBOX_BYTES;
        if !fits || (can_mail && self.queued.len() >= MAX_QUEUED_MESSAGES) {
            return Err(RelayRefusal::Full);
        }
        let status = if can_mail { Status::Queued } else { Status::Held };
        let at = message.accepted_at;
        let too_many = !can_mail && self.held.len() >= MAX_HELD_MESSAGES;
        let oldest = self.at(&self.held).next().filter(|_| too_many);
        let given_up = oldest.map(|oldest| RelayFact::GivenUp { id: oldest.message.id.clone(), at });
        Ok(given_up.into_iter().chain([RelayFact::Accepted { message, status }]).collect())
    }

    fn queue_held(&self, now: Timestamp) -> Vec<RelayFact> {
        let news =
            self.at(&self.held).filter(|tracked| now.duration_since(tracked.message.accepted_at) < HELD_IS_NEWS_FOR);
        news.map(|tracked| RelayFact::Queued { id: tracked.message.id.clone() }).collect()
    }

    fn retry(&self, id: MessageId, can_mail: bool) -> Result<Vec<RelayFact>, RelayRefusal> {
        match self.find(&id).map(|tracked| tracked.status) {
            None => Err(RelayRefusal::UnknownMessage(id)),
            Some(Status::Sent) => Err(RelayRefusal::AlreadySent(id)),
            Some(Status::Failed) if !can_mail => Err(RelayRefusal::NoMailServer),
            Some(Status::Held | Status::Queued) if !can_mail => Ok(Vec::new()),
            Some(Status::Held | Status::Queued | Status::Failed) => Ok(vec![RelayFact::Queued { id }]),
        }
    }

    fn keep(&mut self, message: Arc<Message>, status: Status) {
        self.last_place += 1;
        self.bytes += message.text.len();
        let place = self.last_place;
        self.places(status).insert(place);
        let id = message.id.clone();
        let tracked = Tracked {
            message,
            status,
            attempts: 0,
            last_words: None,
            next_attempt_at: None,
            ended_at: None,
            place: self.last_place,
        };
        self.order.insert(self.last_place, id.clone());
        self.messages.insert(id, tracked);
    }

    fn put_back(&mut self, tracked: Tracked) {
        let (id, place, bytes) = (tracked.message.id.clone(), tracked.place, tracked.message.text.len());
        self.bytes += bytes;
        self.order.insert(place, id.clone());
        if tracked.ended_at.is_some() {
            self.ended_bytes += bytes;
            self.ended_first.push_back(id.clone());
        } else {
            self.places(tracked.status).insert(place);
        }
        self.messages.insert(id, tracked);
    }

    /// The places of those that wait so.
    fn places(&mut self, status: Status) -> &mut BTreeSet<u64> {
        if status == Status::Held { &mut self.held } else { &mut self.queued }
    }

    fn end(&mut self, id: &MessageId, status: Status, at: Timestamp) {
        let Some(tracked) = self.messages.get_mut(id) else { return };
        tracked.status = status;
        tracked.ended_at = Some(at);
        let (place, bytes) = (tracked.place, tracked.message.text.len());
        self.held.remove(&place);
        self.queued.remove(&place);
        self.ended_bytes += bytes;
        self.ended_first.push_back(id.clone());
        self.forget_oldest();
    }

    fn requeue(&mut self, id: &MessageId) {
        let Some(tracked) = self.messages.get_mut(id) else { return };
        if tracked.ended_at.take().is_some() {
            self.ended_bytes -= tracked.message.text.len();
            self.ended_first.retain(|ended| ended != id);
        }
        tracked.status = Status::Queued;
        tracked.next_attempt_at = None;
        self.held.remove(&tracked.place);
        self.queued.insert(tracked.place);
    }

    fn forget_oldest(&mut self) {
        while self.ended_first.len() > REMEMBERED_ENDED_MESSAGES || self.bytes > MAX_OUTBOX_BYTES {
            let Some(id) = self.ended_first.pop_front() else { return };
            self.forget(&id);
        }
    }

    fn forget(&mut self, ended: &MessageId) {
        if let Some(tracked) = self.messages.remove(ended) {
            self.order.remove(&tracked.place);
            self.bytes -= tracked.message.text.len();
            self.ended_bytes -= tracked.message.text.len();
        }
    }
}

/// What an attempt makes of a message; nothing, where it is no longer queued.
fn after_attempt(tracked: &Tracked, result: AttemptResult, at: Timestamp, jitter: u8) -> Option<RelayFact> {
    if tracked.status != Status::Queued {
        return None;
    }
    let (status, words, next_attempt_at) = match result {
        AttemptResult::Taken { words } => (Status::Sent, words, None),
        AttemptResult::Permanent { words } => (Status::Failed, words, None),
        AttemptResult::Transient { words } => {
            let next = at + wait_after(tracked.attempts + 1, jitter);
            let in_time = next.duration_since(tracked.message.accepted_at) < GIVE_UP_AFTER;
            if in_time { (Status::Queued, words, Some(next)) } else { (Status::Failed, words, None) }
        }
    };
    let words = words.chars().take(MAX_WORDS_CHARS).collect();
    Some(RelayFact::Attempted { id: tracked.message.id.clone(), status, words, at, next_attempt_at })
}

/// How long to wait after so many failed attempts: 30 s, doubling to 15 min,
/// less up to a quarter so that messages do not come back in step.
pub fn wait_after(attempts: u32, jitter: u8) -> SignedDuration {
    let doublings = attempts.saturating_sub(1).min(10);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    wait - wait / 4 * i32::from(jitter) / 255
}
