//! Every setting, in each of its layers and at its bounds.

use std::collections::BTreeSet;

use domain::account::ClaimRules;

use super::{
    super::{
        BoardAccess, Config, LogFormat, MailTls, Secret,
        bounds::MAX_VALUE_BYTES,
        setting::{Effect, Fallback, Kind, Setting},
        settings::SETTINGS,
    },
    Written, environment, file,
};

/// The lines of `vpn-sessions.toml` that set one setting.
fn file_with(setting: &Setting, value: &str) -> Written {
    let path = setting.toml.unwrap();
    let value = if matches!(setting.kind, Kind::Number { .. }) { value.to_owned() } else { format!("{value:?}") };
    file(&match path.rsplit_once('.') {
        Some((section, key)) => format!("[{section}]\n{key} = {value}"),
        None => format!("\n{path} = {value}"),
    })
}

/// Two values that a setting may have.
fn examples(setting: &Setting) -> [String; 2] {
    let texts = match setting.name() {
        "LISTEN" => ["127.0.0.1:8080", "[::1]:8080"],
        "TIMEZONE" => ["Europe/Berlin", "America/New_York"],
        "PUBLIC_URL" | "MAIL_OAUTH_TOKEN_URL" | "OIDC_ISSUER" => ["https://a.example.com", "https://b.example.com"],
        "DATABASE_URL" => ["postgres://a.example.com/vpn", "postgres://b.example.com/vpn"],
        "MAIL_TO" | "MAIL_FROM" | "MAIL_ALLOW_TO" => ["alice@example.com", "bob@example.com"],
        "TRUSTED_PROXIES" => ["192.0.2.1", "10.0.0.0/8"],
        _ => ["first", "second"],
    };
    match setting.kind {
        Kind::Text | Kind::List => texts.map(str::to_owned),
        Kind::Choice(choices) => [choices[0], choices[1]].map(str::to_owned),
        Kind::Number { lowest, highest } => [lowest, highest].map(|number| number.to_string()),
    }
}

#[test]
fn the_table_makes_sense() {
    let names: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name()).collect();
    let paths: BTreeSet<&str> = SETTINGS.iter().filter_map(|setting| setting.toml).collect();
    assert_eq!(names.len(), SETTINGS.len(), "a name is there twice");
    assert_eq!(paths.len(), SETTINGS.iter().filter(|setting| setting.toml.is_some()).count(), "a path is there twice");
    for setting in SETTINGS {
        assert!(setting.help.ends_with('.'), "{}", setting.name());
        assert!(!setting.secret || setting.argument().is_none(), "{}", setting.name());
    }
}

#[test]
fn every_setting_is_read_exactly_once() {
    for written in [Written::default(), environment(&[("PORT", "80"), ("MAIL_USER", "a@example.com")])] {
        let report = written.report();
        let read: Vec<&str> = report.in_force.iter().map(|read| read.setting.name()).collect();
        assert_eq!(read, SETTINGS.iter().map(|setting| setting.name()).collect::<Vec<_>>());
    }
}

#[test]
fn every_setting_is_taken_from_its_highest_layer() {
    for setting in SETTINGS {
        let name = setting.name();
        let [low, high] = examples(setting);
        let shown = |value: &str| if setting.secret { Secret::SHOWN.to_owned() } else { value.to_owned() };
        let mut written = Written::default();
        if setting.toml.is_some() {
            written = file_with(setting, &low);
            assert_eq!(written.in_force(name), (shown(&low), "config/vpn-sessions.toml:2".to_owned()));
        }
        if let Some(variable) = setting.environment.filter(|name| *name != "CONFIG_DIR") {
            written = written.with(&[(variable, &high)]);
            assert_eq!(written.in_force(name), (shown(&high), "environment".to_owned()));
        }
        if let Some(argument) = setting.argument() {
            written = written.typed(&[(argument, &low)]);
            assert_eq!(written.in_force(name), (shown(&low), "command line".to_owned()));
        }
        let wrong: Vec<String> = written.errors();
        assert!(wrong.iter().all(|error| error.contains("is set, but")), "{name}: {wrong:?}");
    }
}

#[test]
fn an_empty_value_is_an_unset_one() {
    for setting in SETTINGS {
        for empty in ["", "  "] {
            let mut written = Written::default();
            if let Some(variable) = setting.environment {
                written = written.with(&[(variable, empty), (&format!("{variable}_FILE"), empty)]);
            }
            if let Some(argument) = setting.argument() {
                written = written.typed(&[(argument, empty)]);
            }
            let expected = match setting.default {
                Fallback::Value(value) => value,
                Fallback::Unset(_) => "",
            };
            assert_eq!(written.in_force(setting.name()), (expected.to_owned(), "default".to_owned()));
        }
    }
}

#[test]
fn numbers_are_taken_up_to_their_bounds_and_not_beyond() {
    for setting in SETTINGS {
        let Kind::Number { lowest, highest } = setting.kind else { continue };
        for (value, right) in
            [(lowest, true), (highest, true), (lowest - 1, false), (highest + 1, false), (u64::MAX, false)]
        {
            let written = match (setting.toml, setting.environment) {
                (Some(_), _) => file_with(setting, &value.to_string()),
                (None, variable) => environment(&[(variable.unwrap(), &value.to_string())]),
            };
            let mend = format!("is \"{value}\"; write a whole number from {lowest} to {highest}");
            let told = written.errors().iter().any(|error| error.ends_with(&mend));
            assert_eq!(told, !right, "{} {value}", setting.name());
        }
    }
}

#[test]
fn words_are_taken_and_others_are_told_which_there_are() {
    for setting in SETTINGS {
        let Kind::Choice(choices) = setting.kind else { continue };
        let variable = setting.environment.unwrap();
        for choice in choices {
            assert!(environment(&[(variable, choice)]).errors().is_empty(), "{variable} {choice}");
        }
        let (last, others) = choices.split_last().unwrap();
        let mend = format!("{variable} is \"opne\"; write {} or {last}", others.join(", "));
        assert_eq!(environment(&[(variable, "opne")]).errors(), [mend]);
    }
}

#[test]
fn what_has_no_effect_is_said_and_nothing_else_is() {
    for setting in SETTINGS {
        let [value, _] = examples(setting);
        let written = match (setting.environment, setting.toml) {
            (Some(variable), _) => environment(&[(variable, &value)]),
            (None, _) => file_with(setting, &value),
        };
        let told = written.findings().iter().any(|finding| {
            finding.starts_with("warning: ")
                && finding.contains(setting.name())
                && finding.ends_with("has no effect in this version; unset it")
        });
        assert_eq!(told, setting.effect == Effect::NotInForceYet, "{} {:?}", setting.name(), written.findings());
    }
}

#[test]
fn no_value_is_longer_than_the_limit() {
    let longest = "x".repeat(MAX_VALUE_BYTES);
    assert!(environment(&[("RUST_LOG", &longest), ("HC_PW", &longest)]).errors().is_empty());
    let beyond = format!("{longest}x");
    let expected = ["HC_PW", "RUST_LOG"].map(|name| format!("{name} has 8193 bytes; at most 8192 are allowed"));
    assert_eq!(environment(&[("RUST_LOG", &beyond), ("HC_PW", &beyond)]).errors(), expected);
}

#[test]
fn wrong_values_are_named_with_their_mend() {
    for (variable, value, expected) in [
        (
            "LISTEN",
            "localhost:5000",
            "is \"localhost:5000\"; write an IP address and a port, such as 127.0.0.1:5000 or [::1]:5000",
        ),
        (
            "LISTEN",
            "127.0.0.1:65536",
            "is \"127.0.0.1:65536\"; write an IP address and a port, such as 127.0.0.1:5000 or [::1]:5000",
        ),
        ("PORT", "http", "is \"http\"; write a whole number from 1 to 65535"),
        ("TIMEZONE", "Berlin", "is \"Berlin\", which is not a time zone; write an IANA name, such as Europe/Berlin"),
        ("HC_USER", "pro:mon", "is \"pro:mon\"; write a name without ':', of at most 200 characters"),
        ("HC_USER", "pro\tmon", "contains '\\t'; leave that character out"),
        ("DATA_DIR", "data\0", "contains '\\0'; leave that character out"),
        (
            "PUBLIC_URL",
            "vpn.example.com",
            "does not fit; write http:// or https:// and a host, such as https://vpn.example.com, without ? and #",
        ),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy", "has \"proxy\"; write an IP address or a network, such as 10.0.0.0/8"),
        ("TRUSTED_PROXIES", "10.1.0.0/8", "has \"10.1.0.0/8\", where bits are set behind the prefix; write 10.0.0.0/8"),
        (
            "MAIL_TO",
            "a@example.com, b",
            "has \"b\"; write a mail address alone, such as oncall@example.com, of at most 254 characters",
        ),
        ("MAIL_TO", ",", "has no item; write one, or unset it"),
        (
            "MAIL_SERVER",
            "smtp.example.com:25",
            "is \"smtp.example.com:25\"; write a host name or an IP address alone; the port has its own setting",
        ),
        (
            "DATABASE_URL",
            "mysql://alice:hunter2@example.com",
            "is not the address of a database; write postgres://USER:PASSWORD@HOST/DATABASE",
        ),
        (
            "RUST_LOG",
            "web=debug=info",
            "is \"web=debug=info\"; write a level or levels by part, such as info or web=debug,info",
        ),
        ("JWT_MINUTES", "an hour", "is \"an hour\"; write a whole number from 1 to 43200"),
    ] {
        assert_eq!(environment(&[(variable, value)]).errors(), [format!("{variable} {expected}")]);
    }
}

#[test]
fn what_is_set_is_what_the_server_gets() {
    let config = everything_set().accepted();
    let Config { mail, socket, limits, .. } = &config;
    assert_eq!(config.config_dir.to_str(), Some("config"));
    assert_eq!((config.data_dir.to_str(), config.audit_dir.to_str()), (Some("d"), Some("a")));
    assert_eq!(config.listen.to_string(), "[::1]:8080");
    assert_eq!(exposed(config.secret_key.as_ref()), Some("0123456789abcdef0123456789abcdef"));
    assert_eq!((config.hc_user.as_str(), exposed(config.hc_pw.as_ref())), ("service", Some("long enough ")));
    assert_eq!(config.board_access, BoardAccess::OpenToNetwork);
    assert_eq!((config.timezone_name.as_str(), config.timezone.iana_name()), ("Europe/Berlin", Some("Europe/Berlin")));
    assert_eq!((config.jwt_minutes, config.public_url.as_deref()), (30, Some("https://vpn.example.com")));
    assert_eq!(config.trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.0/8", "::1/128"]);
    assert_eq!((config.log_format, config.log_filter.as_deref()), (Some(LogFormat::Json), Some("debug")));
    assert_eq!((mail.to.join(" "), mail.from.as_deref()), ("a@b c@d".to_owned(), Some("e@f")));
    assert_eq!((mail.user.as_deref(), exposed(mail.pw.as_ref())), (Some("u"), Some("p")));
    assert_eq!((mail.server.as_deref(), mail.port, mail.tls), (Some("smtp.example.com"), 465, MailTls::Implicit));
    assert_eq!((mail.rate_per_minute, mail.connections, mail.allow_to.join(" ")), (10, 2, "g@h".to_owned()));
    assert_eq!((socket.ping_interval_ms, socket.ping_timeout_ms, socket.max_payload), (101, 102, 10_000));
    assert_eq!((limits.sockets, limits.sockets_per_account, limits.sockets_per_address), (1, 2, 3));
    assert_eq!((limits.commands_per_minute, limits.messages_per_minute), (4, 5));
    assert_eq!((limits.failed_sign_ins_per_minute, config.end_unconfirmed_after_minutes), (6, Some(7)));
    assert_eq!(exposed(config.database_url.as_ref()), Some("postgres://db.example.com"));
}

#[test]
fn groups_are_there_whole() {
    let config = everything_set().accepted();
    let rules = ClaimRules {
        user_claim: Some("upn".into()),
        role_claim: Some("groups".into()),
        auditor_values: vec!["au".into()],
        admin_values: vec!["ad".into(), "root".into()],
        creates_accounts: true,
    };
    let (oauth, oidc, tls) = (config.mail.oauth.unwrap(), config.oidc.unwrap(), config.tls.unwrap());
    assert_eq!((oauth.token_url.as_str(), oauth.client_id.as_str()), ("https://login.example.com/t", "i"));
    assert_eq!((oauth.client_secret.expose(), oauth.scope.as_deref()), ("s", Some("sc")));
    assert_eq!((oidc.issuer.as_str(), oidc.client_id.as_str()), ("https://login.example.com/", "oi"));
    assert_eq!((oidc.scopes.join(" "), &oidc.rules), ("openid profile".to_owned(), &rules));
    assert_eq!((oidc.client_secret.expose(), tls.cert.to_str(), tls.key.to_str()), ("os", Some("c"), Some("k")));
}

fn exposed(secret: Option<&Secret>) -> Option<&str> {
    secret.map(Secret::expose)
}

fn everything_set() -> Written {
    let text = r#"
        data_dir = "d"
        audit_dir = "a"
        listen = "[::1]:8080"
        secret_key = "0123456789abcdef0123456789abcdef"
        hc_user = " service "
        hc_pw = "long enough "
        board_access = "open-to-network"
        timezone = "europe/berlin"
        jwt_minutes = 30
        public_url = "https://VPN.example.com/"
        trusted_proxies = ["10.0.0.0/8", "::1"]
        database_url = "postgres://db.example.com"
        [mail]
        to = "a@b, c@d"
        from = "e@f"
        user = "u"
        pw = "p"
        server = "smtp.example.com"
        port = 465
        tls = "implicit"
        rate_per_minute = 10
        connections = 2
        allow_to = ["g@h"]
        [mail.oauth]
        token_url = "https://login.example.com/t"
        client_id = "i"
        client_secret = "s"
        scope = "sc"
        [oidc]
        issuer = "https://login.example.com/"
        client_id = "oi"
        client_secret = "os"
        user_claim = "upn"
        scopes = ["openid", "profile"]
        role_claim = "groups"
        auditor_values = "au"
        admin_values = ["ad", "root"]
        create_accounts = "yes"
        [tls]
        cert = "c"
        key = "k"
        [socket]
        ping_interval_ms = 101
        ping_timeout_ms = 102
        max_payload = 10_000
        [limits]
        sockets = 1
        sockets_per_account = 2
        sockets_per_address = 3
        commands_per_minute = 4
        messages_per_minute = 5
        failed_sign_ins_per_minute = 6
        [board]
        end_unconfirmed_after_minutes = 7
    "#;
    file(text).with(&[("LOG_FORMAT", "json"), ("RUST_LOG", "debug")])
}
