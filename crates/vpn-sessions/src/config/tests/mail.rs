//! Mail settings that do, or do not, fit together.

use super::{Written, environment, file};

fn mail(variables: &[(&str, &str)]) -> Written {
    environment(&[("MAIL_SERVER", "smtp.example.com"), ("MAIL_TO", "oncall@example.com")]).with(variables)
}

#[test]
fn a_mail_server_needs_a_recipient_and_a_sender() {
    let missing = |what: &str, meaning: &str| {
        format!(
            "MAIL_SERVER is set, but {what} is not; set it to {meaning}, or unset the mail server to keep messages unsent"
        )
    };
    let no_to = missing("MAIL_TO", "the addresses that get the messages");
    let no_from = missing("MAIL_FROM", "the address that mails come from");
    for (written, expected) in [
        (environment(&[("MAIL_SERVER", "smtp.example.com")]), vec![no_to.clone(), no_from.clone()]),
        (mail(&[]), vec![no_from.clone()]),
        (mail(&[("MAIL_USER", "alice")]), vec![no_from]),
        (mail(&[("MAIL_USER", "alice@example.com")]), vec![]),
        (mail(&[("MAIL_FROM", "vpn@example.com")]), vec![]),
        (mail(&[("MAIL_FROM", "vpn@example.com"), ("MAIL_TO", "")]), vec![no_to]),
        (environment(&[("MAIL_FROM", "vpn@example.com")]), vec![]),
    ] {
        assert_eq!(written.errors(), expected);
    }
}

#[test]
fn a_user_that_is_an_address_is_the_sender() {
    let written = mail(&[("MAIL_USER", "alice@example.com")]);
    assert_eq!(written.accepted().mail.from.as_deref(), Some("alice@example.com"));
    assert_eq!(written.in_force("MAIL_FROM"), ("alice@example.com".to_owned(), "MAIL_USER".to_owned()));
    let chosen = written.with(&[("MAIL_FROM", "vpn@example.com")]);
    assert_eq!(chosen.accepted().mail.from.as_deref(), Some("vpn@example.com"));
}

#[test]
fn a_wrong_recipient_is_not_also_a_missing_one() {
    let bad = "write a mail address alone, such as oncall@example.com, of at most 254 characters";
    let written = mail(&[("MAIL_TO", "alice"), ("MAIL_FROM", "bob")]);
    assert_eq!(written.errors(), [format!("MAIL_TO has \"alice\"; {bad}"), format!("MAIL_FROM has \"bob\"; {bad}")]);
    let in_file = file("[mail]\nserver = \"smtp.example.com\"\nto = 1\nfrom = 2");
    assert_eq!(in_file.errors().len(), 2, "{:?}", in_file.errors());
    let broken = file("to = ").with(&[("MAIL_SERVER", "smtp.example.com")]);
    assert_eq!(broken.errors().len(), 1, "{:?}", broken.errors());
}

#[test]
fn mail_without_encryption_stays_on_this_machine() {
    for server in ["localhost", "127.0.0.1", "127.1.2.3", "::1", "[::1]"] {
        let written = mail(&[("MAIL_FROM", "a@b"), ("MAIL_TLS", "none"), ("MAIL_SERVER", server)]);
        assert_eq!(written.errors(), [""; 0], "{server}");
    }
    for server in ["smtp.example.com", "192.0.2.1"] {
        let written = mail(&[("MAIL_FROM", "a@b"), ("MAIL_TLS", "none"), ("MAIL_SERVER", server)]);
        let expected = format!(
            "MAIL_TLS is \"none\", which is for a mail server on this machine only; {server} is elsewhere: write starttls or implicit"
        );
        assert_eq!(written.errors(), [expected]);
    }
}

#[test]
fn half_a_login_is_said() {
    let half = |set: &str, unset: &str| {
        format!(
            "warning: {set} is set without {unset}, so the mail server is not asked to sign in; set both, or neither"
        )
    };
    let from = ("MAIL_FROM", "a@b");
    for (variables, expected) in [
        (vec![from, ("MAIL_USER", "alice")], vec![half("MAIL_USER", "MAIL_PW")]),
        (vec![from, ("MAIL_PW", "secret")], vec![half("MAIL_PW", "MAIL_USER")]),
        (vec![from, ("MAIL_PW", "secret"), ("MAIL_USER", "alice")], vec![]),
    ] {
        assert_eq!(mail(&variables).findings(), expected);
    }
}

#[test]
fn groups_are_set_whole_or_not_at_all() {
    for (set, missing) in [
        ([("TLS_CERT", "cert.pem")].as_slice(), ["TLS_KEY"].as_slice()),
        (&[("TLS_KEY", "key.pem")], &["TLS_CERT"]),
        (&[("OIDC_CLIENT_ID", "id")], &["OIDC_ISSUER", "OIDC_CLIENT_SECRET"]),
        (&[("OIDC_ISSUER", "https://example.com"), ("OIDC_CLIENT_SECRET", "s")], &["OIDC_CLIENT_ID"]),
        (&[("OIDC_ADMIN_VALUES", "root")], &["OIDC_ROLE_CLAIM"]),
        (&[("MAIL_OAUTH_CLIENT_ID", "id")], &["MAIL_OAUTH_TOKEN_URL", "MAIL_OAUTH_CLIENT_SECRET"]),
    ] {
        let (first, _) = set[0];
        let expected: Vec<String> =
            missing.iter().map(|name| format!("{first} is set, but {name} is not; set both, or neither")).collect();
        assert_eq!(environment(set).errors(), expected);
    }
}
