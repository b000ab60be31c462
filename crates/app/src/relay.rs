//! The relay: messages in, mails out.
//!
//! [`Relay`] accepts and tells; [`Relay::deliver`] runs beside it, takes what
//! is due and hands it to the mail server, one at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use domain::{
    names::UserName,
    outbox::{
        AttemptResult, MAX_DEDUPE_KEY_CHARS, MAX_MESSAGE_BYTES, MAX_SUBJECT_CHARS, Message, MessageId, Outbox,
        OutboxItem, RelayCommand, RelayFact, RelayRefusal, Status, Tracked,
    },
    record::Stream,
};
use tokio::sync::{Mutex, watch};

use crate::{
    findings::Findings,
    ports::{Clock, Entropy, Ledger, Mail, MailError, Mailer},
    store::{Decided, Failure, Moment, ReplayError, Store, View, World},
};

/// How often the outbox is looked at when nothing wakes the delivery: clocks
/// may be set, and timers sleep through a suspension.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What stands behind the `@` of a Message-ID that is made while no sender is
/// configured; the name is reserved for no one (RFC 2606).
const NO_DOMAIN: &str = "vpn-sessions.invalid";

/// Where mails go and come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRoute {
    /// Who gets each message.
    pub to: Vec<String>,
    /// What stands behind the `@` of a Message-ID: the sender's domain.
    pub message_id_domain: String,
}

/// A message as a program hands it in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewMessage {
    /// Its text.
    pub text: String,
    /// Its subject.
    pub subject: Option<String>,
    /// 1 (highest) to 5 (lowest); 3 where it is not given.
    pub priority: Option<u8>,
    /// What makes messages alike.
    pub dedupe_key: Option<String>,
    /// Who is to get it, where not everybody who usually does.
    pub to: Vec<String>,
}

/// Why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AcceptError {
    /// It says nothing.
    #[error("the message is empty; put its text into \"message\"")]
    Empty,
    /// Longer than the limit.
    #[error("the message has {0} bytes of UTF-8; at most {MAX_MESSAGE_BYTES} are allowed")]
    TooLarge(usize),
    /// A field is not as it must be.
    #[error("{0}")]
    Field(String),
    /// Somebody is named who does not get messages.
    #[error("a message may not be sent to an address that MAIL_TO does not name; leave out \"to\"")]
    Recipient,
    /// It could not be kept.
    #[error("the message could not be kept: {0}")]
    Unavailable(String),
}

/// The relay.
pub struct Relay {
    store: Store<RelayView>,
    ledger: Arc<dyn Ledger>,
    route: Option<MailRoute>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    changed: watch::Receiver<()>,
    /// Held while a mail is on its way and until that is recorded.
    sending: Mutex<()>,
    stops: AtomicBool,
}

impl Relay {
    /// Makes the outbox from its records; what waits is due at once. Without a
    /// route messages are held.
    ///
    /// # Errors
    /// [`ReplayError`].
    pub async fn open(world: World, route: Option<MailRoute>) -> Result<Relay, ReplayError> {
        let (clock, entropy) = (Arc::clone(&world.clock), Arc::clone(&world.entropy));
        let ledger = Arc::clone(&world.ledger);
        let (wake, changed) = watch::channel(());
        let store = Store::open(world, RelayView(Outbox::default()), |_| {
            Box::new(move |_, _| {
                wake.send_replace(());
            })
        });
        let relay = Relay {
            store: store.await?,
            ledger,
            route,
            clock,
            entropy,
            changed,
            sending: Mutex::default(),
            stops: false.into(),
        };
        relay.store.adjust(|view| view.0.forget_waits()).await;
        Ok(relay)
    }

    /// Keeps a message; it is on disk when this returns.
    ///
    /// # Errors
    /// [`AcceptError`].
    pub async fn accept(&self, user: UserName, new: NewMessage) -> Result<(MessageId, Status), AcceptError> {
        let message = self.read_message(user, new)?;
        let id = message.id.clone();
        let can_mail = self.route.is_some();
        let kept = self.store.execute(RelayCommand::Accept { message: Arc::new(message), can_mail }).await;
        kept.map_err(|failure| match failure {
            Failure::Refused(refusal) => AcceptError::Unavailable(refusal.to_string()),
            Failure::Unavailable(reason) => AcceptError::Unavailable(reason),
        })?;
        Ok((id, if can_mail { Status::Queued } else { Status::Held }))
    }

    /// A message and what became of it.
    pub fn find(&self, id: &MessageId) -> Option<Tracked> {
        self.store.read(|view| view.0.find(id).cloned())
    }

    /// Messages from before a place on, latest first, of that status where one
    /// is named; at most `limit`.
    pub fn latest(&self, before: u64, status: Option<Status>, limit: usize) -> Vec<Tracked> {
        self.store.read(|view| {
            let fitting = view.0.latest(before).filter(|tracked| status.is_none_or(|status| tracked.status == status));
            fitting.take(limit).cloned().collect()
        })
    }

    /// Queues a message that failed or is held, or tries one at once that waits.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn retry(&self, id: MessageId) -> Result<(), Failure<RelayRefusal>> {
        self.store.execute(RelayCommand::Retry { id, can_mail: self.route.is_some() }).await
    }

    /// Mails what is due, for ever. Needs a mail server; without one there is
    /// nothing to do.
    pub async fn deliver(&self, mailer: &dyn Mailer, findings: &Findings) {
        let Some(route) = &self.route else { return };
        let now = self.clock.now();
        if self.store.execute(RelayCommand::QueueHeld { now }).await.is_err() {
            tracing::warn!("Held messages could not be queued; the next start tries again");
        }
        let mut changed = self.changed.clone();
        loop {
            changed.mark_unchanged();
            let now = self.clock.now();
            match self.store.read(|view| view.0.due(now).next().cloned()) {
                Some(tracked) => {
                    let _sending = self.sending.lock().await;
                    if self.stops.load(Ordering::Relaxed) {
                        return;
                    }
                    self.attempt(&tracked, route, mailer, findings).await;
                }
                None => self.until_due(&mut changed).await,
            }
        }
    }

    /// Sends nothing from here on but what is under way.
    pub fn stop(&self) {
        self.stops.store(true, Ordering::Relaxed);
    }

    /// Waits until what is under way is sent and recorded; call [`Relay::stop`] first.
    pub async fn finish(&self) {
        let _sending = self.sending.lock().await;
        self.store.settle().await;
    }

    /// Waits until everything that was handed in is committed or refused.
    pub async fn settle(&self) {
        self.store.settle().await;
    }

    async fn attempt(&self, tracked: &Tracked, route: &MailRoute, mailer: &dyn Mailer, findings: &Findings) {
        if self.ledger.confirm().await.is_err() {
            // Where another server has the outbox by now, it sends the mail.
            return tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
        let id = tracked.message.id.clone();
        let result = match mailer.send(&mail_of(&tracked.message, route)).await {
            Ok(words) => AttemptResult::Taken { words },
            Err(MailError::Transient(words)) => AttemptResult::Transient { words },
            Err(MailError::Permanent(words)) => AttemptResult::Permanent { words },
        };
        tell(&id, &result, findings);
        let [jitter, ..] = self.entropy.bits();
        let noted = RelayCommand::NoteAttempt { id, result, at: self.clock.now(), jitter };
        // Until this is kept, nothing else is sent: the mail would go out again and again.
        while let Err(Failure::Unavailable(_)) = self.store.execute(noted.clone()).await {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
    }

    async fn until_due(&self, changed: &mut watch::Receiver<()>) {
        let next = self.store.read(|view| view.0.next_due());
        let wait = next.map_or(LOOK_AGAIN_AFTER, |at| {
            let wait = at.duration_since(self.clock.now());
            Duration::try_from(wait).unwrap_or_default().min(LOOK_AGAIN_AFTER)
        });
        tokio::select! {
            _ = changed.changed() => {}
            () = tokio::time::sleep(wait.max(Duration::from_millis(10))) => {}
        }
    }

    fn read_message(&self, user: UserName, new: NewMessage) -> Result<Message, AcceptError> {
        if new.text.trim().is_empty() {
            return Err(AcceptError::Empty);
        }
        if new.text.len() > MAX_MESSAGE_BYTES {
            return Err(AcceptError::TooLarge(new.text.len()));
        }
        let usual = self.route.as_ref().map_or(&[][..], |route| &route.to);
        if !new.to.iter().all(|address| usual.contains(address)) {
            return Err(AcceptError::Recipient);
        }
        let priority = new.priority.unwrap_or(domain::outbox::usual_priority());
        if !(1..=5).contains(&priority) {
            return Err(AcceptError::Field("\"priority\" is a whole number from 1 (highest) to 5 (lowest)".into()));
        }
        let id = MessageId::of_bits(self.entropy.bits());
        let domain = self.route.as_ref().map_or(NO_DOMAIN, |route| &route.message_id_domain);
        Ok(Message {
            message_id: format!("<{id}@{domain}>"),
            id,
            user,
            accepted_at: self.clock.now(),
            text: new.text,
            subject: short("subject", new.subject, MAX_SUBJECT_CHARS)?,
            priority,
            dedupe_key: short("dedupe_key", new.dedupe_key, MAX_DEDUPE_KEY_CHARS)?,
            to: new.to,
        })
    }
}

fn short(field: &str, text: Option<String>, limit: usize) -> Result<Option<String>, AcceptError> {
    let chars = text.as_deref().map_or(0, |text| text.chars().count());
    if chars > limit {
        let problem = format!("\"{field}\" has {chars} characters; at most {limit} are allowed");
        return Err(AcceptError::Field(problem));
    }
    Ok(text.filter(|text| !text.trim().is_empty()))
}

fn mail_of(message: &Message, route: &MailRoute) -> Mail {
    let first_line = message.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("Message");
    let subject = message.subject.as_deref().unwrap_or(first_line);
    Mail {
        message_id: message.message_id.clone(),
        to: if message.to.is_empty() { route.to.clone() } else { message.to.clone() },
        subject: subject.trim().chars().take(MAX_SUBJECT_CHARS).collect(),
        text: message.text.clone(),
        date: message.accepted_at,
        priority: message.priority,
    }
}

fn tell(id: &MessageId, result: &AttemptResult, findings: &Findings) {
    match result {
        AttemptResult::Taken { .. } => {
            tracing::info!(message = %id, "A message was mailed");
            findings.ends("mail", "mail_not_sent");
        }
        AttemptResult::Transient { words } => {
            let detail = format!("mails wait, as the mail server does not take them: {}", discreet(words));
            findings.begins("mail", "mail_not_sent", detail, false);
        }
        AttemptResult::Permanent { words } => {
            let reply = discreet(words);
            tracing::warn!(message = %id, reply, "The mail server refused a message for good");
            findings.ends("mail", "mail_not_sent");
        }
    }
}

/// What may be said to everybody of a mail server's words: of a reply its code
/// only, as replies name addresses.
fn discreet(words: &str) -> &str {
    let code = words.get(..3).filter(|code| code.bytes().all(|digit| digit.is_ascii_digit()));
    code.unwrap_or(words)
}

/// The outbox as a fold over the stream `relay`.
#[derive(Clone)]
pub struct RelayView(Outbox);

impl View for RelayView {
    type Command = RelayCommand;
    type Fact = RelayFact;
    type Outcome = ();
    type Refusal = RelayRefusal;
    type Item = OutboxItem;
    const STREAM: Stream = Stream::Relay;

    fn decide(&self, command: RelayCommand, _: &Moment) -> Decided<Self> {
        Ok((self.0.decide(command)?, ()))
    }

    fn apply(&mut self, _: u64, fact: &RelayFact) {
        self.0.apply(fact);
    }

    fn snapshot(&self) -> Box<dyn Iterator<Item = OutboxItem> + '_> {
        Box::new(self.0.snapshot())
    }

    fn restore(&mut self, item: OutboxItem) {
        self.0.restore(item);
    }

    fn restored(&mut self, _: u64) {}
}
