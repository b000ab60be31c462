//! Accounts: sign-ins end by use, by time, by password and by the people's file.

use std::{collections::BTreeSet, sync::Arc};

use app::{
    access::{AccessLog, accounts_behind},
    accounts::{AccountSettings, Accounts, ApiTokenWanted, Arrival, Credential, SetPasswordError, SignInError},
    passwords::{PasswordError, Passwords},
    ports::Ledger,
};
use domain::{
    access::{AccessFact, AccountChange, AccountsBehind, Client},
    account::{AccountRefusal, Changer, People, Proof, Role, Scope, SignIn},
    list_file::read_users,
    names::{Label, UserName},
    record::Stream,
};
use jiff::SignedDuration;
use testkit::TestWorld;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

async fn accounts(world: &TestWorld, board_is_open: bool) -> Accounts {
    accounts_with(world, board_is_open, "a service password").await.0
}

async fn accounts_with(world: &TestWorld, board_is_open: bool, service: &str) -> (Accounts, Arc<AccessLog>) {
    let people = People::new(read_users(b"alice\ncarol;auditor").unwrap(), name("promon"), true);
    let settings = AccountSettings { board_is_open, service_password: Some(service.into()) };
    let access = Arc::new(AccessLog::open(world.world()).await.unwrap());
    let log = Arc::clone(&access);
    (Accounts::open(world.world(), people, settings, Passwords::new().unwrap(), access).await.unwrap(), log)
}

async fn signs_in(accounts: &Accounts, user: &str, password: &str) -> Result<SignIn, SignInError> {
    accounts.sign_in(user, password, Arrival::default()).await
}

async fn set_password(accounts: &Accounts, user: &str, password: &str) -> Result<(), SetPasswordError> {
    accounts.set_password(&name(user), password, Changer::CommandLine).await
}

/// Everything that the stream of access holds.
async fn access_of(world: &TestWorld) -> Vec<AccessFact> {
    let records = world.ledger.read(Stream::Access, 0, 1_000).await.unwrap();
    records.iter().map(|record| record.fact().unwrap()).collect()
}

#[tokio::test]
async fn a_sign_in_ends_after_twelve_hours_without_use() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, true).await;
    let sign_in = Credential::SignIn(signs_in(&accounts, "alice", "").await.unwrap().id);
    for _ in 0..3 {
        world.clock.pass(SignedDuration::from_secs(12 * 3600 - 1));
        assert!(accounts.actor(&sign_in).is_some(), "it was used in time");
    }
    world.clock.pass(SignedDuration::from_hours(12));
    assert!(accounts.actor(&sign_in).is_none());
    assert!(accounts.actor(&sign_in).is_none(), "asking again is no use");
}

#[tokio::test]
async fn a_sign_in_ends_after_thirty_days_however_used() {
    let world = TestWorld::at("2026-11-01T00:00:00Z");
    let accounts = accounts(&world, true).await;
    let sign_in = Credential::SignIn(signs_in(&accounts, "alice", "").await.unwrap().id);
    for _ in 0..(30 * 24 / 6 - 1) {
        world.clock.pass(SignedDuration::from_hours(6));
        assert!(accounts.actor(&sign_in).is_some());
    }
    world.clock.pass(SignedDuration::from_hours(6));
    assert!(accounts.actor(&sign_in).is_none());
}

#[tokio::test]
async fn without_a_password_an_auditor_is_a_member() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, true).await;
    set_password(&accounts, "carol", "correct horse").await.unwrap();
    let open = Credential::SignIn(signs_in(&accounts, "carol", "").await.unwrap().id);
    let proved = Credential::SignIn(signs_in(&accounts, "Carol", "correct horse").await.unwrap().id);
    assert_eq!(accounts.actor(&open).map(|actor| actor.role), Some(Role::Member));
    assert_eq!(accounts.actor(&proved).map(|actor| actor.role), Some(Role::Auditor));
    assert_eq!(signs_in(&accounts, "promon", "").await, Err(SignInError::Wrong), "the service user has a password");
}

#[tokio::test]
async fn where_the_board_is_closed_nobody_comes_in_without_a_password() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let open = accounts(&world, true).await;
    let sign_in = Credential::SignIn(signs_in(&open, "alice", "").await.unwrap().id);
    drop(open);
    let world = world.restarted().await;
    let closed = accounts(&world, false).await;
    assert_eq!(signs_in(&closed, "alice", "").await, Err(SignInError::Wrong));
    assert!(closed.actor(&sign_in).is_none(), "who came in while it was open is out");
}

#[tokio::test]
async fn passwords_and_sign_ins_outlive_a_restart() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let before = accounts(&world, false).await;
    set_password(&before, "alice", "correct horse").await.unwrap();
    let sign_in = Credential::SignIn(signs_in(&before, "alice", "correct horse").await.unwrap().id);
    drop(before);
    let world = world.restarted().await;
    let after = accounts(&world, false).await;
    assert!(after.actor(&sign_in).is_some());
    assert!(after.prove("alice", "correct horse").await.is_ok());
    after.take_up(read_users(b"carol;auditor").unwrap()).await;
    assert!(after.actor(&sign_in).is_none(), "who is taken out of the file is out");
    assert_eq!(after.prove("alice", "correct horse").await, Err(SignInError::Wrong));
}

#[tokio::test]
async fn a_password_that_was_replaced_while_it_was_proved_lets_nobody_in() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, false).await;
    set_password(&accounts, "alice", "correct horse").await.unwrap();
    let proved = accounts.prove("alice", "correct horse").await.unwrap();
    let in_time = accounts.begin_proved(proved.clone(), &Arrival::default()).await.unwrap();
    set_password(&accounts, "alice", "another horse").await.unwrap();
    assert_eq!(accounts.begin_proved(proved.clone(), &Arrival::default()).await, Err(SignInError::Wrong));
    assert!(accounts.actor(&Credential::SignIn(in_time.id)).is_none());
    let expires_at = "2026-11-24T10:00:00Z".parse().unwrap();
    let jwt = Credential::AccessToken { user: name("alice"), version: proved.version, expires_at };
    assert!(accounts.actor(&jwt).is_none(), "a program's token is of what was proved");
    let proved = accounts.prove("alice", "another horse").await.unwrap();
    accounts
        .disable(name("alice"), Label::parse("the reason", "left us").unwrap(), Changer::CommandLine)
        .await
        .unwrap();
    assert_eq!(accounts.begin_proved(proved, &Arrival::default()).await, Err(SignInError::Wrong));
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_kept_is_none() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, true).await;
    world.ledger.refuse(true);
    assert!(matches!(signs_in(&accounts, "alice", "").await, Err(SignInError::Unavailable(_))));
}

#[tokio::test]
async fn an_invitation_lets_its_user_choose_a_password_once() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, false).await;
    let invited = accounts.invite(name("alice"), Changer::CommandLine).await.unwrap();
    assert_eq!(invited.expires_at, "2026-11-27T09:00:00Z".parse().unwrap());
    for _ in 0..2 {
        assert_eq!(accounts.invited_by(&invited.secret).unwrap().user, name("alice"), "opening uses nothing up");
    }
    let accept = |password: &'static str| accounts.accept_invitation(&invited.secret, password, Arrival::default());
    let common = accept("password1").await;
    assert_eq!(common, Err(SetPasswordError::Password(PasswordError::Common)));
    let sign_in = accept("correct horse").await.unwrap();
    assert_eq!((sign_in.user, sign_in.proof), (name("alice"), Proof::Invitation));
    assert!(accounts.actor(&Credential::SignIn(sign_in.id)).is_some());
    assert!(accounts.prove("alice", "correct horse").await.is_ok());
    let again = accept("another horse").await;
    assert_eq!(again, Err(SetPasswordError::Refused(AccountRefusal::UnknownInvitation)));
}

#[tokio::test]
async fn everybody_without_a_password_is_invited_at_once() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, false).await;
    accounts.add(name("erin"), None, Changer::CommandLine).await.unwrap();
    set_password(&accounts, "carol", "correct horse").await.unwrap();
    let invited = accounts.invite_all(Changer::CommandLine).await.unwrap();
    let names: Vec<String> = invited.iter().map(|invited| invited.user.to_string()).collect();
    assert_eq!(names, ["alice", "erin"]);
}

#[tokio::test]
async fn what_a_program_has_ends_with_the_password_the_account_and_the_token() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, false).await;
    set_password(&accounts, "alice", "correct horse").await.unwrap();
    let signed_in = accounts.sign_in_program("alice", "correct horse", Arrival::default()).await.unwrap();
    let expires_at = "2026-11-24T10:00:00Z".parse().unwrap();
    let jwt = Credential::AccessToken { user: signed_in.user, version: signed_in.version, expires_at };
    let wanted = ApiTokenWanted {
        user: name("alice"),
        name: Label::parse("the name", "backup").unwrap(),
        scopes: BTreeSet::from([Scope::Board]),
        expires_at: None,
    };
    let (secret, token) = accounts.create_api_token(wanted, Changer::CommandLine).await.unwrap();
    assert!(secret.starts_with("vpn_") && secret.len() == 68, "{} characters", secret.len());
    assert_eq!(accounts.api_token("vpn_0"), None);
    let api_token = accounts.api_token(&secret).unwrap();
    assert!(accounts.actor(&jwt).is_some());
    assert!(accounts.known(&api_token).unwrap().rights.uses_board());
    assert_eq!(accounts.api_tokens()[0].last_used_at, Some("2026-11-24T09:00:00Z".parse().unwrap()));
    set_password(&accounts, "alice", "another horse").await.unwrap();
    assert!(accounts.actor(&jwt).is_none(), "whoever knew the old password is out");
    assert!(accounts.actor(&api_token).is_some(), "the program has its own way in");
    accounts.disable(name("alice"), Label::parse("", "left").unwrap(), Changer::CommandLine).await.unwrap();
    assert!(accounts.actor(&api_token).is_none());
    accounts.enable(name("alice"), Changer::CommandLine).await.unwrap();
    assert!(accounts.actor(&api_token).is_some());
    accounts.revoke_api_token(token.id, Changer::CommandLine).await.unwrap();
    assert!(accounts.actor(&api_token).is_none());
}

#[tokio::test]
async fn another_service_password_ends_what_the_one_before_let_in() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let before = accounts(&world, false).await;
    before.take_service_password().await.unwrap();
    let promon = Credential::SignIn(signs_in(&before, "promon", "a service password").await.unwrap().id);
    drop(before);
    let world = world.restarted().await;
    let same = accounts(&world, false).await;
    same.take_service_password().await.unwrap();
    assert!(same.actor(&promon).is_some(), "it is the same password");
    drop(same);
    let world = world.restarted().await;
    let (other, _) = accounts_with(&world, false, "another service password").await;
    other.take_service_password().await.unwrap();
    assert!(other.actor(&promon).is_none());
}

#[tokio::test]
async fn the_record_of_access_follows_the_accounts_once_whatever_crashed() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let (accounts, access) = accounts_with(&world, false, "a service password").await;
    set_password(&accounts, "alice", "correct horse").await.unwrap();
    signs_in(&accounts, "alice", "correct horse").await.unwrap();
    signs_in(&accounts, "alice", "wrong horse").await.unwrap_err();
    signs_in(&accounts, "a secret typed into the wrong field", "x").await.unwrap_err();
    drop((accounts, access));
    let world = world.restarted().await;
    let (accounts, access) = accounts_with(&world, false, "a service password").await;
    for _ in 0..2 {
        access.catch_up().await;
    }
    let kept = access_of(&world).await;
    let failed =
        |user: Option<&str>| AccessFact::SignInFailed { user: user.map(name), address: None, client: Client::Browser };
    assert_eq!(kept[..2], [failed(Some("alice")), failed(None)]);
    assert!(matches!(&kept[2], AccessFact::AccountChanged { change: AccountChange::Password, follows: 3, .. }));
    assert!(matches!(&kept[3], AccessFact::SignedIn { follows: Some(4), .. }));
    assert_eq!(kept.len(), 4, "{kept:?}");
    drop(accounts);
}

#[tokio::test]
async fn failures_beyond_sixty_a_minute_are_one_count() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let (_accounts, access) = accounts_with(&world, false, "a service password").await;
    (0..70).for_each(|_| access.sign_in_failed(None, None, Client::Program));
    world.clock.pass(SignedDuration::from_mins(1));
    access.sign_in_failed(None, None, Client::Program);
    access.settle().await;
    let kept = access_of(&world).await;
    assert_eq!(kept.len(), 62);
    assert!(matches!(kept[60], AccessFact::SignInFailures(refusals) if refusals.count == 10));
}

#[tokio::test]
async fn tries_that_had_to_wait_are_one_count_and_no_records() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let (_accounts, access) = accounts_with(&world, false, "a service password").await;
    access.sign_in_failed(None, None, Client::Program);
    (0..1_000).for_each(|_| access.sign_in_had_to_wait());
    world.clock.pass(SignedDuration::from_mins(1));
    access.sign_in_had_to_wait();
    access.catch_up().await;
    let counts = access_of(&world).await.into_iter().filter_map(|fact| match fact {
        AccessFact::SignInFailures(refusals) => Some(refusals.count),
        _ => None,
    });
    assert_eq!(counts.collect::<Vec<_>>(), [1_000, 1]);
}

#[tokio::test]
async fn settings_that_differ_from_the_last_start_are_a_record() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let (_accounts, access) = accounts_with(&world, false, "a service password").await;
    for value in ["UTC", "UTC", "Europe/Berlin"] {
        access.settings([("TIMEZONE".to_owned(), value.to_owned())].into()).await.unwrap();
    }
    assert_eq!(access_of(&world).await.len(), 2);
}

#[tokio::test]
async fn accounts_that_were_removed_are_said_and_followed_from_their_begin() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let (doors, log) = accounts_with(&world, false, "a service password").await;
    for password in ["the first password", "the second password", "the third password"] {
        set_password(&doors, "alice", password).await.unwrap();
    }
    log.catch_up().await;
    let followed = access_of(&world).await.iter().filter_map(AccessFact::follows).max().unwrap();
    drop((doors, log));
    std::fs::remove_dir_all(world.path("data/ledger/keys")).unwrap();
    let world = world.restarted().await;
    let ledger = world.ledger.as_ref();
    let behind = accounts_behind(ledger, ledger).await.unwrap();
    assert_eq!(behind, Some(AccountsBehind { followed, head: 0 }));
    let (doors, log) = accounts_with(&world, false, "a service password").await;
    assert_eq!(world.findings.current()[0].code, "keys_rolled_back");
    assert!(world.findings.current().iter().all(|finding| !finding.stops_changes));
    set_password(&doors, "alice", "a password of somebody else").await.unwrap();
    log.catch_up().await;
    let facts = access_of(&world).await;
    let anew = AccessFact::KeysBeganAnew(AccountsBehind { followed, head: 0 });
    let at = facts.iter().position(|fact| *fact == anew).expect("it is recorded");
    assert!(facts[at..].iter().any(|fact| fact.follows().is_some()), "what came since is recorded, too");
    assert_eq!(accounts_behind(world.ledger.as_ref(), world.ledger.as_ref()).await.unwrap(), None, "it is said");
    drop((doors, log));
    let world = world.restarted().await;
    drop(accounts_with(&world, false, "a service password").await);
    assert_eq!(access_of(&world).await.iter().filter(|fact| **fact == anew).count(), 1);
}
