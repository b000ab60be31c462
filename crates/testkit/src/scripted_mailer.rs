//! A mail server that answers as it is told.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use app::ports::{Mail, MailError, Mailer};
use async_trait::async_trait;
use tokio::sync::{Notify, watch};

/// Gives the answers of its script in turn, then takes every mail.
pub struct ScriptedMailer {
    answers: Mutex<VecDeque<Result<String, MailError>>>,
    waits_for: Option<Arc<Notify>>,
    mails: watch::Sender<Vec<Mail>>,
}

impl ScriptedMailer {
    /// A mail server with that script.
    pub fn answering(answers: impl IntoIterator<Item = Result<String, MailError>>) -> ScriptedMailer {
        let answers = Mutex::new(answers.into_iter().collect());
        ScriptedMailer { answers, waits_for: None, mails: watch::Sender::default() }
    }

    /// A mail server that answers when it is told to go on.
    pub fn waiting() -> (ScriptedMailer, Arc<Notify>) {
        let go_on = Arc::new(Notify::new());
        (ScriptedMailer { waits_for: Some(Arc::clone(&go_on)), ..ScriptedMailer::answering([]) }, go_on)
    }

    /// Waits until so many mails were tried, and returns them.
    ///
    /// # Panics
    /// Never: the sender lives as long as this.
    pub async fn tried(&self, count: usize) -> Vec<Mail> {
        let mut mails = self.mails.subscribe();
        let seen = mails.wait_for(|mails| mails.len() >= count).await;
        seen.expect("the sender lives").clone()
    }
}

#[async_trait]
impl Mailer for ScriptedMailer {
    async fn send(&self, mail: &Mail) -> Result<String, MailError> {
        self.mails.send_modify(|mails| mails.push(mail.clone()));
        if let Some(go_on) = &self.waits_for {
            go_on.notified().await;
        }
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        answer.unwrap_or_else(|| Ok("250 OK".into()))
    }
}
