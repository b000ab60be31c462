//! The state of the accounts as a fold over the stream `keys`.

use domain::{
    account::{AccountCommand, AccountFact, AccountRefusal, AccountsItem, AccountsState, Changer},
    record::Stream,
};

use crate::store::{Decided, Moment, View};

/// A command and who gives it.
pub struct Ordered {
    pub(super) command: AccountCommand,
    pub(super) by: Changer,
}

/// The state of the accounts.
#[derive(Clone)]
pub struct AccountsView(pub(super) AccountsState);

impl View for AccountsView {
    type Command = Ordered;
    type Fact = AccountFact;
    type Outcome = ();
    type Refusal = AccountRefusal;
    type Item = AccountsItem;
    const STREAM: Stream = Stream::Keys;

    fn decide(&self, Ordered { command, by }: Ordered, moment: &Moment) -> Decided<Self> {
        Ok((self.0.decide(command, by, moment.now)?, ()))
    }

    fn apply(&mut self, _: u64, fact: &AccountFact) {
        self.0.apply(fact);
    }

    fn snapshot(&self) -> Box<dyn Iterator<Item = AccountsItem> + '_> {
        Box::new(self.0.snapshot())
    }

    fn restore(&mut self, item: AccountsItem) {
        self.0.restore(item);
    }

    fn restored(&mut self, _: u64) {}
}
