//! Accounts: sign-ins end by use, by time, by password and by the people's file.

use app::{
    accounts::{AccountSettings, Accounts, Credential, SignInError},
    passwords::Passwords,
};
use domain::{
    account::{People, Role},
    list_file::read_users,
    names::UserName,
};
use jiff::SignedDuration;
use testkit::TestWorld;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

async fn accounts(world: &TestWorld, board_is_open: bool) -> Accounts {
    let people = People::new(read_users(b"alice\ncarol;auditor").unwrap(), name("promon"), true);
    let settings = AccountSettings { board_is_open, service_password: Some("a service password".into()) };
    Accounts::open(world.world(), people, settings, Passwords::new().unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_sign_in_ends_after_twelve_hours_without_use() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, true).await;
    let sign_in = Credential::SignIn(accounts.sign_in("alice", "").await.unwrap().id);
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
    let sign_in = Credential::SignIn(accounts.sign_in("alice", "").await.unwrap().id);
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
    accounts.set_password(&name("carol"), "correct horse").await.unwrap();
    let open = Credential::SignIn(accounts.sign_in("carol", "").await.unwrap().id);
    let proved = Credential::SignIn(accounts.sign_in("Carol", "correct horse").await.unwrap().id);
    assert_eq!(accounts.actor(&open).map(|actor| actor.role), Some(Role::Member));
    assert_eq!(accounts.actor(&proved).map(|actor| actor.role), Some(Role::Auditor));
    assert_eq!(accounts.sign_in("promon", "").await, Err(SignInError::Wrong), "the service user has a password");
}

#[tokio::test]
async fn where_the_board_is_closed_nobody_comes_in_without_a_password() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let open = accounts(&world, true).await;
    let sign_in = Credential::SignIn(open.sign_in("alice", "").await.unwrap().id);
    drop(open);
    let world = world.restarted().await;
    let closed = accounts(&world, false).await;
    assert_eq!(closed.sign_in("alice", "").await, Err(SignInError::Wrong));
    assert!(closed.actor(&sign_in).is_none(), "who came in while it was open is out");
}

#[tokio::test]
async fn passwords_and_sign_ins_outlive_a_restart() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let before = accounts(&world, false).await;
    before.set_password(&name("alice"), "correct horse").await.unwrap();
    let sign_in = Credential::SignIn(before.sign_in("alice", "correct horse").await.unwrap().id);
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
async fn a_sign_in_that_cannot_be_kept_is_none() {
    let world = TestWorld::at("2026-11-24T09:00:00Z");
    let accounts = accounts(&world, true).await;
    world.ledger.refuse(true);
    assert!(matches!(accounts.sign_in("alice", "").await, Err(SignInError::Unavailable(_))));
}
