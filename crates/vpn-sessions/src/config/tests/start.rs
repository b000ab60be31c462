//! Starting: ports, secrets in files, what is refused, and what is reported.

use clap::{ArgMatches, Command};

use super::{
    super::{Config, Refused, arguments},
    Written, environment, file,
};

fn command_line(line: &[&str]) -> ArgMatches {
    Command::new("vpn-sessions").args(arguments()).try_get_matches_from([&["vpn-sessions"], line].concat()).unwrap()
}

#[test]
fn nothing_set_is_a_good_start() {
    let config = Written::default().accepted();
    assert!(config.problems().is_empty() && !config.is_for_trying_out());
    assert_eq!(config.listen.to_string(), "127.0.0.1:5000");
    assert!(config.secret_key.is_none() && config.hc_pw.is_none() && config.mail.server.is_none());
    assert!(config.mail.oauth.is_none() && config.oidc.is_none() && config.tls.is_none());
    assert!(config.trusted_proxies.is_empty() && config.public_url.is_none() && config.log_format.is_none());
}

#[test]
fn a_port_alone_means_every_address() {
    let in_file = || file("listen = \"127.0.0.1:7000\"");
    for (written, listen, origin) in [
        (environment(&[("PORT", "8080")]), "0.0.0.0:8080", "PORT"),
        (in_file().with(&[("PORT", "8080")]), "0.0.0.0:8080", "PORT"),
        (in_file().typed(&[("port", "8080")]), "0.0.0.0:8080", "PORT"),
        (in_file(), "127.0.0.1:7000", "config/vpn-sessions.toml:1"),
        (environment(&[("PORT", "9000"), ("LISTEN", "[::]:9000")]), "[::]:9000", "environment"),
        (environment(&[("PORT", "9000")]).typed(&[("listen", "127.0.0.1:9000")]), "127.0.0.1:9000", "command line"),
    ] {
        assert_eq!(written.accepted().listen.to_string(), listen);
        assert_eq!(written.in_force("LISTEN"), (listen.to_owned(), origin.to_owned()));
        assert!(written.findings().is_empty());
    }
    let both = environment(&[("PORT", "8080"), ("LISTEN", "127.0.0.1:9000")]);
    let expected = "warning: PORT has no effect, because LISTEN is set to 127.0.0.1:9000; unset one of them";
    assert_eq!(both.findings(), [expected]);
    assert_eq!(environment(&[("PORT", "8080"), ("LISTEN", "x")]).findings().len(), 1);
}

#[test]
fn secrets_are_read_from_the_files_that_are_named() {
    for (variable, setting) in [
        ("HC_PW_FILE", "HC_PW"),
        ("SECRET_KEY_FILE", "SECRET_KEY"),
        ("MAIL_PW_FILE", "MAIL_PW"),
        ("MAIL_OAUTH_CLIENT_SECRET_FILE", "MAIL_OAUTH_CLIENT_SECRET"),
        ("OIDC_CLIENT_SECRET_FILE", "OIDC_CLIENT_SECRET"),
        ("DATABASE_URL_FILE", "DATABASE_URL"),
    ] {
        let written = environment(&[(variable, "/run/x")]).holding(&[("/run/x", "postgres://db.example.com\n")]);
        assert_eq!(written.in_force(setting), ("***".to_owned(), format!("environment {variable}=/run/x")));
    }
}

#[test]
fn one_line_end_is_not_part_of_a_secret() {
    for (text, expected) in [
        ("long enough", "long enough"),
        ("long enough\n", "long enough"),
        ("long enough\r\n", "long enough"),
        ("long enough\n\n", "long enough\n"),
        (" long enough ", " long enough "),
    ] {
        let written = file("hc_pw = \"overridden\"").with(&[("HC_PW_FILE", "f")]).holding(&[("f", text)]);
        assert_eq!(written.accepted().hc_pw.unwrap().expose(), expected, "{text:?}");
    }
}

#[test]
fn a_secret_that_cannot_be_had_is_said() {
    let named = || environment(&[("HC_PW_FILE", "f")]);
    for (written, expected) in [
        (
            named(),
            "HC_PW_FILE names the file f, which cannot be read: no such file; mend the path or the file's permissions",
        ),
        (named().holding(&[("f", "\n")]), "HC_PW_FILE names the file f, which is empty; write the secret into it"),
        (named().with(&[("HC_PW", "long enough")]), "HC_PW and HC_PW_FILE are both set; unset one of them"),
    ] {
        assert_eq!(written.errors(), [expected]);
    }
}

#[test]
fn weak_settings_are_for_loopback_only() {
    let long_key = "0123456789abcdef0123456789abcdef";
    for (variable, value, weak) in [
        ("HC_PW", "12345", true),
        ("HC_PW", "1234567", true),
        ("HC_PW", "12345678", false),
        ("SECRET_KEY", "secret", true),
        ("SECRET_KEY", &long_key[1..], true),
        ("SECRET_KEY", long_key, false),
        ("BOARD_ACCESS", "open", true),
        ("BOARD_ACCESS", "password", false),
    ] {
        for (listen, severity) in [
            ("127.0.0.1:5000", "warning"),
            ("127.9.9.9:5000", "warning"),
            ("[::1]:5000", "warning"),
            ("[::ffff:127.0.0.1]:5000", "warning"),
            ("0.0.0.0:5000", "error"),
            ("[::]:5000", "error"),
            ("192.0.2.1:5000", "error"),
        ] {
            let config = environment(&[(variable, value), ("LISTEN", listen)]).accepted();
            let found: Vec<&str> = config.problems().iter().map(|finding| finding.severity.name()).collect();
            assert_eq!(found, if weak { vec![severity] } else { vec![] }, "{variable}={value} {listen}");
            assert_eq!(config.is_for_trying_out(), weak);
        }
    }
}

#[test]
fn weak_settings_are_told_with_place_and_mend() {
    let written =
        file("hc_pw = \"12345\"").with(&[("PORT", "80"), ("SECRET_KEY", "secret")]).typed(&[("board-access", "open")]);
    let only = "is for trying out on loopback only (the server listens on 0.0.0.0:80);";
    assert_eq!(
        written.errors(),
        [
            format!(
                "SECRET_KEY is \"secret\" or another key of under 32 bytes, which {only} set a longer one, or unset it to have one made"
            ),
            format!(
                "config/vpn-sessions.toml:1: hc_pw is \"12345\" or another password of under 8 characters, which {only} set a longer one, or unset it to have one made"
            ),
            format!(
                "--board-access is \"open\": anybody signs in without a password, which {only} write password, or open-to-network if that is meant"
            ),
        ]
    );
}

#[test]
fn what_is_open_to_the_network_is_always_said() {
    for listen in ["127.0.0.1:5000", "0.0.0.0:5000"] {
        let written = environment(&[("BOARD_ACCESS", "open-to-network"), ("LISTEN", listen)]);
        let expected = "warning: BOARD_ACCESS is \"open-to-network\": whoever reaches the server signs in without a password; \
                        write password to stop that";
        assert_eq!(written.findings(), [expected]);
        assert!(!written.accepted().is_for_trying_out());
    }
    let proxies = environment(&[("TRUSTED_PROXIES", "192.0.2.1, ::/0")]);
    let expected =
        "warning: TRUSTED_PROXIES has ::/0, so anybody can claim any address; write the addresses of your proxies only";
    assert!(proxies.findings().contains(&expected.to_owned()), "{:?}", proxies.findings());
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let written = file("lisen = 1\n[mail]\nport = \"x\"")
        .with(&[("TIMEZONE", "Mars"), ("HC_PW_FILE", "f")])
        .typed(&[("jwt-minutes", "0")]);
    let places: Vec<String> =
        written.errors().iter().map(|error| error.split(" is ").next().unwrap().to_owned()).collect();
    assert_eq!(places[..3], ["config/vpn-sessions.toml:1: lisen", "config/vpn-sessions.toml:3: mail.port", "TIMEZONE"]);
    assert!(places[3].starts_with("HC_PW_FILE names") && places[4] == "--jwt-minutes", "{places:?}");
    assert_eq!(written.read().unwrap_err().to_string(), written.errors().join("\n"));
}

#[test]
fn only_a_wrong_command_line_is_wrong_usage() {
    let wrong = || Written::default().typed(&[("listen", "x")]);
    assert_eq!(wrong().read().unwrap_err().exit_code(), 2);
    assert_eq!(wrong().with(&[("TIMEZONE", "x")]).read().unwrap_err().exit_code(), 1);
    assert_eq!(environment(&[("LISTEN", "x")]).read().unwrap_err().exit_code(), 1);
}

#[test]
fn the_report_says_what_is_in_force_and_where_from() {
    let written = file("hc_pw = \"12345\"")
        .with(&[("SECRET_KEY", "hunter2"), ("CONFIG_DIR", "/etc/vpn")])
        .typed(&[("port", "80")]);
    let report = written.report();
    let text = report.text();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    for expected in [
        ["CONFIG_DIR", "/etc/vpn", "environment"].as_slice(),
        &["LISTEN", "0.0.0.0:80", "PORT"],
        &["PORT", "80", "command", "line"],
        &["HC_PW", "***", "/etc/vpn/vpn-sessions.toml:1"],
        &["SECRET_KEY", "***", "environment"],
        &["MAIL_ALLOW_TO", "(nobody)", "default"],
        &["socket.max_payload", "65536", "default"],
        &["errors:", "2,", "warnings:", "0"],
    ] {
        assert!(rows.contains(&expected.to_vec()), "{expected:?} in {text}");
    }
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    let listen = &json["settings"].as_array().unwrap()[3];
    assert_eq!(
        *listen,
        serde_json::json!({"name": "LISTEN", "toml": "listen", "value": "0.0.0.0:80", "origin": "PORT"})
    );
    assert_eq!(json["findings"][1]["place"], "/etc/vpn/vpn-sessions.toml:1: hc_pw");
    assert_eq!((&json["findings"][1]["severity"], report.has_errors()), (&"error".into(), true));
}

#[test]
fn no_secret_is_shown_anywhere() {
    let secrets = ["HC_PW", "SECRET_KEY", "MAIL_PW", "DATABASE_URL", "OIDC_CLIENT_SECRET", "MAIL_OAUTH_CLIENT_SECRET"];
    let variables: Vec<(&str, &str)> = secrets.iter().map(|name| (*name, "hunter2")).collect();
    let in_file = file("hc_pw = 2\n[mail]\npw = [\"hunter2\"]\nhunter = 1");
    for written in [environment(&variables), in_file.with(&variables[..2]), environment(&variables[..3])] {
        let report = written.report();
        let config =
            written.read().map_or_else(|refused| format!("{refused:?}{refused}"), |config| format!("{config:?}"));
        let shown = [config, report.text(), report.json(), format!("{report:?}")].concat();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn the_file_in_the_named_directory_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vpn-sessions.toml");
    let named = directory.path().to_str().unwrap();
    let load = |listen: &str| -> Result<Config, Refused> {
        Config::load(&command_line(&["--config-dir", named, "--listen", listen]))
    };
    assert_eq!(load("127.0.0.1:1").unwrap().listen.port(), 1);
    std::fs::write(&path, "[socket]\nmax_payload = 9000").unwrap();
    assert_eq!(load("127.0.0.1:1").unwrap().socket.max_payload, 9000);
    std::fs::write(&path, b"\xff").unwrap();
    let told = load("x").unwrap_err().to_string();
    assert!(
        told.starts_with(&format!("{} cannot be read: ", path.display())) && told.contains("\n--listen is \"x\""),
        "{told}"
    );
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(load("127.0.0.1:1").unwrap_err().exit_code(), 1);
}

#[test]
fn unknown_variables_are_not_ours_to_judge() {
    let written = environment(&[("UNKNOWN_VARIABLE", "x"), ("LISTENING", "y")]);
    assert!(written.findings().is_empty());
}
