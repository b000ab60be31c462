//! The rules of accounts, as a team meets them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;

const NINE: &str = "2026-11-24T09:00:00Z";

fn user(name: &str) -> UserName {
    UserName::parse(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn listed(name: &str, role: Option<Role>) -> ListedUser {
    ListedUser { name: user(name), role }
}

/// Accounts, and who changes them.
struct Team(AccountsState);

impl Team {
    fn new() -> Team {
        let list = vec![listed("alice", None), listed("carol", Some(Role::Auditor))];
        Team(AccountsState::new(Arc::new(People::new(list, user("promon"), true))))
    }

    fn does(&mut self, command: AccountCommand) -> Result<usize, AccountRefusal> {
        self.does_by("dave", command, NINE)
    }

    fn does_by(&mut self, admin: &str, command: AccountCommand, time: &str) -> Result<usize, AccountRefusal> {
        let by = Changer::Account(Visitor { user: user(admin), address: None });
        let facts = self.0.decide(command, by, at(time))?;
        facts.iter().for_each(|fact| self.0.apply(fact));
        Ok(facts.len())
    }

    fn signs_in(&mut self, name: &str, number: u8, time: &str) -> SignInId {
        let sign_in = sign_in(name, number, time);
        let version = Some(self.0.version(&sign_in.user));
        self.does_by(name, AccountCommand::SignIn { sign_in: sign_in.clone(), version }, time).unwrap();
        sign_in.id
    }

    fn is_signed_in(&self, id: &SignInId) -> bool {
        self.0.sign_in(id, at("2026-11-24T10:00:00Z")).is_some()
    }

    fn role(&self, name: &str) -> Option<Role> {
        self.0.find(&user(name)).map(|actor| actor.role)
    }

    fn has_list(&mut self, list: Vec<ListedUser>) {
        let people = Arc::new(self.0.people().with_list(list));
        self.0.set_people(people);
    }
}

fn sign_in(name: &str, number: u8, time: &str) -> SignIn {
    SignIn {
        id: SignInId::of_bits([number; 16]),
        user: user(name),
        proof: Proof::Password,
        at: at(time),
        role: None,
        address: None,
        browser: None,
    }
}

fn reason() -> Label {
    Label::parse("the reason", "left us").unwrap()
}

fn api_token(name: &str, number: u8, days: i64) -> ApiToken {
    ApiToken {
        id: ApiTokenId::of_bits([number; 16]),
        user: user(name),
        name: Label::parse("the name", "backup").unwrap(),
        scopes: [Scope::Board].into(),
        created_at: at(NINE),
        expires_at: at(NINE) + SignedDuration::from_hours(24 * days),
        hash: format!("hash {number}"),
    }
}

#[test]
fn roles_come_from_the_list_then_from_an_admin() {
    let mut team = Team::new();
    for (name, role) in [
        ("alice", Some(Role::Member)),
        ("CAROL", Some(Role::Auditor)),
        ("promon", Some(Role::Admin)),
        ("mallory", None),
    ] {
        assert_eq!(team.role(name), role, "{name}");
    }
    team.does(AccountCommand::SetRole { user: user("Alice"), role: Role::Admin }).unwrap();
    assert_eq!(team.role("alice"), Some(Role::Admin));
    let refused = team.does(AccountCommand::SetRole { user: user("carol"), role: Role::Member });
    assert_eq!(refused, Err(AccountRefusal::RoleIsListed { user: user("carol"), role: Role::Auditor }));
    team.has_list(vec![listed("alice", Some(Role::Auditor)), listed("carol", None)]);
    assert_eq!((team.role("alice"), team.role("carol")), (Some(Role::Auditor), Some(Role::Member)));
}

#[test]
fn another_role_ends_the_sign_ins_whoever_gave_it() {
    let mut team = Team::new();
    let (alice, carol) = (team.signs_in("alice", 1, NINE), team.signs_in("carol", 2, NINE));
    team.does(AccountCommand::SetRole { user: user("alice"), role: Role::Member }).unwrap();
    assert!(team.is_signed_in(&alice), "it is the same role");
    team.does(AccountCommand::SetRole { user: user("alice"), role: Role::Auditor }).unwrap();
    assert!(!team.is_signed_in(&alice));
    team.has_list(vec![listed("alice", None), listed("carol", None)]);
    assert!(!team.is_signed_in(&carol), "users.txt gives another one");
    assert_eq!(team.does(AccountCommand::EndStale { gone: Vec::new() }), Ok(1));
    team.has_list(vec![listed("alice", None), listed("carol", Some(Role::Auditor))]);
    assert!(!team.is_signed_in(&carol), "it has ended for good");
}

#[test]
fn a_new_password_ends_the_sign_ins_of_its_account_only() {
    let mut team = Team::new();
    let (alice, carol) = (team.signs_in("alice", 1, NINE), team.signs_in("carol", 2, NINE));
    let before = team.0.version(&user("alice"));
    team.does(AccountCommand::SetPassword { user: user("Alice"), hash: "$argon2id$".into() }).unwrap();
    assert!(!team.is_signed_in(&alice) && team.is_signed_in(&carol));
    assert_eq!(team.0.password_hash(&user("alice")), Some("$argon2id$"));
    assert_ne!(team.0.version(&user("alice")), before, "access tokens end too");
    assert_eq!(team.0.version(&user("carol")), 0);
}

#[test]
fn passwords_of_nobody_and_of_the_setting_are_refused() {
    let mut team = Team::new();
    let mut set = |name: &str| team.does(AccountCommand::SetPassword { user: user(name), hash: String::new() });
    assert_eq!(set("mallory"), Err(AccountRefusal::UnknownAccount { user: user("mallory") }));
    assert_eq!(set("Promon"), Err(AccountRefusal::PasswordIsSetting { user: user("promon") }));
}

#[test]
fn a_disabled_account_lets_nobody_in_until_it_is_enabled() {
    let mut team = Team::new();
    let alice = team.signs_in("alice", 1, NINE);
    team.does(AccountCommand::Disable { user: user("alice"), reason: reason() }).unwrap();
    assert!(!team.is_signed_in(&alice));
    assert_eq!((team.role("alice"), team.0.version(&user("alice"))), (None, 1));
    let refused = team.does(AccountCommand::Invite { user: user("alice"), hash: "h".into() });
    assert_eq!(refused, Err(AccountRefusal::AccountDisabled { user: user("alice") }));
    team.does(AccountCommand::Enable { user: user("alice") }).unwrap();
    assert!(!team.is_signed_in(&alice), "the sign-in has ended for good");
    assert_eq!(team.role("alice"), Some(Role::Member));
}

#[test]
fn nobody_takes_their_own_rights_or_those_of_the_service_user() {
    let mut team = Team::new();
    for (name, expected) in [
        ("dave", AccountRefusal::Yourself),
        ("promon", AccountRefusal::ServiceUser { user: user("promon") }),
        ("mallory", AccountRefusal::UnknownAccount { user: user("mallory") }),
    ] {
        team.has_list(vec![listed("dave", None)]);
        let disabled = team.does(AccountCommand::Disable { user: user(name), reason: reason() });
        assert_eq!(disabled, Err(expected.clone()), "{name}");
        assert_eq!(team.does(AccountCommand::SetRole { user: user(name), role: Role::Member }), Err(expected));
    }
}

#[test]
fn who_is_taken_out_of_the_list_is_out_unless_added() {
    let mut team = Team::new();
    let exists = Err(AccountRefusal::AccountExists { user: user("ALICE") });
    assert_eq!(team.does(AccountCommand::Add { user: user("ALICE"), role: None }), exists);
    team.does(AccountCommand::Add { user: user("erin"), role: Some(Role::Auditor) }).unwrap();
    let (alice, erin) = (team.signs_in("alice", 1, NINE), team.signs_in("erin", 2, NINE));
    team.has_list(Vec::new());
    team.does(AccountCommand::EndStale { gone: vec![user("alice"), user("carol")] }).unwrap();
    assert!(!team.is_signed_in(&alice) && team.is_signed_in(&erin));
    assert_eq!((team.role("erin"), team.role("alice")), (Some(Role::Auditor), None));
    assert_eq!(team.0.version(&user("alice")), 1, "access tokens end too");
    let all: Vec<_> = team.0.all().into_iter().map(|account| (account.user.to_string(), account.is_active)).collect();
    assert_eq!(all, [("promon".into(), true), ("alice".into(), false), ("erin".into(), true)]);
    let gone = team.does(AccountCommand::Enable { user: user("alice") });
    assert_eq!(gone, Err(AccountRefusal::NotListed { user: user("alice") }));
    team.does(AccountCommand::Add { user: user("alice"), role: None }).unwrap();
    assert_eq!(team.role("alice"), Some(Role::Member));
}

#[test]
fn an_invitation_works_once_for_three_days_and_a_later_one_ends_it() {
    let mut team = Team::new();
    let invite = |hash: &str| AccountCommand::Invite { user: user("alice"), hash: hash.into() };
    let accept = |hash: &str, time: &str| AccountCommand::AcceptInvitation {
        invitation: hash.into(),
        hash: "$argon2id$".into(),
        sign_in: sign_in("alice", 7, time),
    };
    team.does(invite("first")).unwrap();
    team.does(invite("second")).unwrap();
    assert_eq!(team.does(accept("first", NINE)), Err(AccountRefusal::UnknownInvitation));
    assert!(team.0.invited("second", at("2026-11-27T08:59:59Z")).is_some());
    assert_eq!(team.does(accept("second", "2026-11-27T09:00:00Z")), Err(AccountRefusal::UnknownInvitation));
    let old = team.signs_in("alice", 1, NINE);
    team.does(accept("second", NINE)).unwrap();
    assert!(team.is_signed_in(&SignInId::of_bits([7; 16])) && !team.is_signed_in(&old));
    assert_eq!(team.does(accept("second", NINE)), Err(AccountRefusal::UnknownInvitation));
    team.does(invite("third")).unwrap();
    team.does(AccountCommand::SetPassword { user: user("alice"), hash: "$argon2id$".into() }).unwrap();
    assert!(team.0.invited("third", at(NINE)).is_none(), "a password was set otherwise");
}

#[test]
fn an_api_token_has_scopes_and_an_end() {
    let mut team = Team::new();
    for (token, expected) in [
        (api_token("mallory", 1, 1), Err(AccountRefusal::UnknownAccount { user: user("mallory") })),
        (ApiToken { scopes: [].into(), ..api_token("alice", 1, 1) }, Err(AccountRefusal::NoScope)),
        (api_token("alice", 1, 0), Err(AccountRefusal::TokenLife)),
        (api_token("alice", 1, 5 * 366 + 1), Err(AccountRefusal::TokenLife)),
        (api_token("ALICE", 1, 1), Ok(1)),
    ] {
        assert_eq!(team.does(AccountCommand::CreateApiToken(token)), expected);
    }
    let id = team.0.api_token_id("hash 1").unwrap().clone();
    assert_eq!(team.0.api_token(&id, at(NINE)).unwrap().user, user("alice"));
    assert!(team.0.api_token(&id, at("2026-11-25T09:00:00Z")).is_none());
    team.does(AccountCommand::RevokeApiToken { id: id.clone() }).unwrap();
    assert!(team.0.api_token(&id, at(NINE)).is_none() && team.0.api_token_id("hash 1").is_none());
    assert!(team.does(AccountCommand::RevokeApiToken { id }).is_err());
}

#[test]
fn rights_are_the_roles_and_no_more_than_the_scopes() {
    let all = Scope::ALL.into();
    let none_but = |scope: Scope, role: Role| Rights::of_api_token(role, &[scope].into());
    let shown = |rights: &Rights| {
        let each = [
            rights.uses_board(),
            rights.reads_audit(),
            rights.hands_in_messages(),
            rights.reads_metrics(),
            rights.administers(),
        ];
        each.map(|may| if may { 'x' } else { '-' }).iter().collect::<String>()
    };
    for (rights, expected) in [
        (Rights::of_role(Role::Member), "x----"),
        (Rights::of_role(Role::Auditor), "xx---"),
        (Rights::of_role(Role::Admin), "xxxxx"),
        (none_but(Scope::Messages, Role::Member), "--x--"),
        (none_but(Scope::Board, Role::Admin), "x----"),
        (none_but(Scope::Audit, Role::Member), "-----"),
        (none_but(Scope::Audit, Role::Auditor), "-x---"),
        (none_but(Scope::Metrics, Role::Member), "---x-"),
        (Rights::of_api_token(Role::Admin, &all), "xxxx-"),
    ] {
        assert_eq!(shown(&rights), expected, "{rights:?}");
    }
}

#[test]
fn a_sign_in_has_an_end_and_an_account_a_number_of_them() {
    let mut team = Team::new();
    let id = team.signs_in("alice", 0, "2026-11-01T00:00:00Z");
    assert!(team.0.sign_in(&id, at("2026-11-30T23:59:59Z")).is_some());
    assert!(team.0.sign_in(&id, at("2026-12-01T00:00:00Z")).is_none());
    for number in 1..=MAX_SIGN_INS_PER_ACCOUNT {
        team.signs_in("alice", number as u8, "2026-11-02T00:00:00Z");
    }
    assert_eq!(team.0.sign_ins_of(&user("alice")).count(), MAX_SIGN_INS_PER_ACCOUNT);
    assert!(team.0.sign_in(&id, at("2026-11-03T00:00:00Z")).is_none());
}

#[test]
fn who_only_picks_a_name_ends_no_sign_in_that_was_proved() {
    let mut team = Team::new();
    let proved = team.signs_in("alice", 255, "2026-11-24T08:00:00Z");
    for number in 0..=MAX_SIGN_INS_PER_ACCOUNT {
        let picked = SignIn { proof: Proof::Nothing, ..sign_in("alice", number as u8, NINE) };
        team.does(AccountCommand::SignIn { sign_in: picked, version: None }).unwrap();
    }
    assert!(team.is_signed_in(&proved));
    let picked = team.0.sign_ins_of(&user("alice")).filter(|own| own.proof == Proof::Nothing).count();
    assert_eq!(picked, MAX_SIGN_INS_PER_ACCOUNT);
}

#[test]
fn what_was_proved_before_the_account_was_changed_lets_nobody_in() {
    let (password, name) =
        (|hash: &str| AccountCommand::SetPassword { user: user("alice"), hash: hash.into() }, "alice");
    let mut team = Team::new();
    team.does(password("$argon2id$1")).unwrap();
    for changes in [
        vec![password("$argon2id$2")],
        vec![
            AccountCommand::Disable { user: user("alice"), reason: reason() },
            AccountCommand::Enable { user: user("alice") },
        ],
    ] {
        let version = Some(team.0.version(&user("alice")));
        changes.into_iter().for_each(|change| _ = team.does(change).unwrap());
        let begin = AccountCommand::SignIn { sign_in: sign_in(name, 1, NINE), version };
        assert_eq!(team.does(begin), Err(AccountRefusal::ProofIsOld { user: user("alice") }));
        team.signs_in(name, 2, NINE);
    }
    let picked = SignIn { proof: Proof::Nothing, ..sign_in(name, 3, NINE) };
    assert_eq!(
        team.does(AccountCommand::SignIn { sign_in: picked, version: None }),
        Ok(1),
        "there is nothing to be old"
    );
}

#[test]
fn signing_out_twice_records_once_and_elsewhere_leaves_the_one_here() {
    let mut team = Team::new();
    let here = team.signs_in("alice", 1, NINE);
    let there = team.signs_in("alice", 2, NINE);
    let out = AccountCommand::SignOutElsewhere { user: user("alice"), here: Some(here.clone()) };
    assert_eq!(team.does(out), Ok(1));
    assert!(team.is_signed_in(&here) && !team.is_signed_in(&there));
    let out = AccountCommand::SignOut { id: here };
    assert_eq!((team.does(out.clone()), team.does(out)), (Ok(1), Ok(0)));
}

#[test]
fn another_service_password_ends_what_the_one_before_let_in() {
    let mut team = Team::new();
    let promon = team.signs_in("promon", 1, NINE);
    team.does(AccountCommand::TakeServicePassword { hash: "$argon2id$".into() }).unwrap();
    assert!(!team.is_signed_in(&promon));
    assert_eq!((team.0.service_password_hash(), team.0.version(&user("promon"))), (Some("$argon2id$"), 1));
    assert_eq!(team.0.password_hash(&user("promon")), None, "a setting that is gone lets nobody in");
}

#[test]
fn records_of_before_are_understood() {
    let mut team = Team::new();
    for text in [
        r#"{"kind":"password_set","body":{"user":"alice","hash":"$argon2id$"}}"#,
        r#"{"kind":"signed_in","body":{"id":"a","user":"alice","proof":"password","at":"2026-11-24T09:00:00Z"}}"#,
        r#"{"kind":"signed_in","body":{"id":"b","user":"alice","proof":"nothing","at":"2026-11-24T09:00:00Z"}}"#,
        r#"{"kind":"signed_out","body":{"id":"b"}}"#,
    ] {
        team.0.apply(&serde_json::from_str(text).unwrap());
    }
    assert_eq!(team.0.password_hash(&user("alice")), Some("$argon2id$"));
    assert!(team.is_signed_in(&SignInId::named("a")) && !team.is_signed_in(&SignInId::named("b")));
}

#[test]
fn the_records_keep_their_form() {
    let mut state = Team::new();
    let by = Changer::Account(Visitor { user: user("dave"), address: Some("10.0.0.1".into()) });
    let facts = [
        AccountFact::AccountAdded { user: user("erin"), by: Changer::CommandLine },
        AccountFact::RoleSet { user: user("erin"), role: Role::Auditor, by: Changer::Configuration },
        AccountFact::AccountDisabled { user: user("erin"), reason: reason(), by: by.clone() },
        AccountFact::AccountEnabled { user: user("erin"), by: by.clone() },
        AccountFact::AccessEnded { user: user("erin") },
        AccountFact::PasswordSet { user: user("erin"), hash: "$argon2id$".into(), by: Some(by.clone()) },
        AccountFact::Invited { user: user("erin"), hash: "h".into(), expires_at: at(NINE), by: by.clone() },
        AccountFact::ApiTokenCreated { token: api_token("erin", 1, 1), by },
        AccountFact::SignedIn(SignIn { role: Some(Role::Auditor), ..sign_in("erin", 1, NINE) }),
    ];
    insta::assert_json_snapshot!(facts);
    facts.iter().for_each(|fact| state.0.apply(fact));
    assert_eq!(state.role("erin"), Some(Role::Auditor));
    assert_eq!(restored(&state.0), state.0);
}

#[test]
fn a_snapshot_makes_the_accounts_again_and_holds_nothing_that_left() {
    let mut team = Team::new();
    for (number, hash) in (1..9).zip(["$argon2id$first", "$argon2id$second"].into_iter().cycle()) {
        team.signs_in("alice", number, NINE);
        team.does(AccountCommand::SetPassword { user: user("ALICE"), hash: hash.into() }).unwrap();
        team.signs_in("carol", 10 + number, NINE);
    }
    team.does(AccountCommand::Invite { user: user("carol"), hash: "h".into() }).unwrap();
    team.does(AccountCommand::CreateApiToken(api_token("alice", 1, 1))).unwrap();
    team.does(AccountCommand::CreateApiToken(api_token("alice", 2, 1))).unwrap();
    team.does(AccountCommand::RevokeApiToken { id: ApiTokenId::of_bits([1; 16]) }).unwrap();
    assert_eq!(restored(&team.0), team.0);
    let written = serde_json::to_string(&team.0.snapshot().collect::<Vec<_>>()).unwrap();
    assert!(written.contains("$argon2id$second") && !written.contains("$argon2id$first"));
    assert!(written.contains("hash 2") && !written.contains("hash 1"));
}

fn restored(state: &AccountsState) -> AccountsState {
    let mut restored = AccountsState::new(Arc::clone(state.people()));
    for item in state.snapshot() {
        restored.restore(serde_json::from_str(&serde_json::to_string(&item).unwrap()).unwrap());
    }
    restored
}

#[test]
fn an_end_is_a_time_or_a_whole_day() {
    for (text, expected) in [
        ("2027-11-30", Some("2027-12-01T00:00:00Z")),
        ("2027-11-30T12:00:00+01:00", Some("2027-11-30T11:00:00Z")),
        ("2027-02-30", None),
        ("tomorrow", None),
        ("", None),
    ] {
        assert_eq!(read_end(text), expected.map(at), "{text:?}");
    }
}

fn signs_on(name: &str, number: u8, role: Option<Role>, creates_account: bool) -> AccountCommand {
    let sign_in = SignIn { proof: Proof::SingleSignOn, ..sign_in(name, number, NINE) };
    AccountCommand::SignOn { sign_in, role, creates_account }
}

#[test]
fn single_sign_on_lets_in_who_has_an_account_or_may_get_one() {
    let mut team = Team::new();
    team.does(signs_on("ALICE", 1, None, false)).unwrap();
    assert!(team.is_signed_in(&SignInId::of_bits([1; 16])));
    let unknown = team.does(signs_on("mallory", 2, Some(Role::Admin), false));
    assert_eq!(unknown, Err(AccountRefusal::UnknownAccount { user: user("mallory") }));
    team.does(signs_on("mallory", 3, None, true)).unwrap();
    assert_eq!(team.role("mallory"), Some(Role::Member));
    assert!(team.is_signed_in(&SignInId::of_bits([3; 16])));
    team.does(AccountCommand::Disable { user: user("alice"), reason: reason() }).unwrap();
    let disabled = team.does(signs_on("alice", 4, None, true));
    assert_eq!(disabled, Err(AccountRefusal::AccountDisabled { user: user("alice") }));
    let service = team.does(signs_on("Promon", 5, None, true));
    assert_eq!(service, Err(AccountRefusal::ServiceUser { user: user("Promon") }));
}

#[test]
fn who_was_taken_out_does_not_come_back_by_single_sign_on() {
    let mut team = Team::new();
    team.does(signs_on("alice", 1, None, true)).unwrap();
    team.has_list(vec![listed("carol", None)]);
    let gone = team.does(signs_on("alice", 2, None, true));
    assert_eq!(gone, Err(AccountRefusal::NotListed { user: user("alice") }));
}

#[test]
fn a_role_by_claim_counts_where_the_list_gives_none() {
    let mut team = Team::new();
    team.does(signs_on("carol", 1, Some(Role::Admin), false)).unwrap();
    assert_eq!(team.role("carol"), Some(Role::Auditor));
    team.does(signs_on("alice", 2, Some(Role::Auditor), false)).unwrap();
    assert_eq!(team.role("alice"), Some(Role::Auditor));
    team.does(signs_on("alice", 3, Some(Role::Member), false)).unwrap();
    assert_eq!(team.role("alice"), Some(Role::Member));
    let is_there = [2, 3].map(|number| team.is_signed_in(&SignInId::of_bits([number; 16])));
    assert_eq!(is_there, [false, true], "with another role the sign-ins of before end");
    team.does(signs_on("alice", 4, None, false)).unwrap();
    assert_eq!(team.role("alice"), Some(Role::Member), "no word on roles takes none");
}
