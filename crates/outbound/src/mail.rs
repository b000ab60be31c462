//! A mail as bytes (RFC 5322, MIME), from which nothing that a message says
//! can escape into the headers.

use std::time::{Duration, SystemTime};

use app::ports::Mail;
use lettre::{
    Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
};

/// Priority that is said by no header.
const USUAL_PRIORITY: u8 = 3;

/// A mail that cannot be written: an address is none, for example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail cannot be written: {0}")]
pub(crate) struct UnwritableMail(String);

/// Writes a mail from that sender.
pub(crate) fn written(mail: &Mail, from: &Mailbox) -> Result<Message, UnwritableMail> {
    let unwritable = |error: &dyn std::fmt::Display| UnwritableMail(error.to_string());
    let mut builder = Message::builder()
        .from(from.clone())
        .subject(one_line(&mail.subject))
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(mail.date.as_millisecond().try_into().unwrap_or_default()))
        .message_id(Some(one_line(&mail.message_id)))
        .raw_header(plain("Auto-Submitted", "auto-generated"));
    for address in &mail.to {
        builder = builder.to(address.parse().map_err(|error| unwritable(&error))?);
    }
    for header in priority_headers(mail.priority) {
        builder = builder.raw_header(header);
    }
    builder
        .header(ContentType::TEXT_PLAIN)
        .body(mail.text.replace('\0', "\u{fffd}"))
        .map_err(|error| unwritable(&error))
}

/// `X-Priority` and `Importance` (RFC 4021), where the priority is not the usual one.
fn priority_headers(priority: u8) -> Vec<HeaderValue> {
    if priority == USUAL_PRIORITY {
        return Vec::new();
    }
    let importance = if priority < USUAL_PRIORITY { "high" } else { "low" };
    vec![plain("X-Priority", &priority.to_string()), plain("Importance", importance)]
}

fn plain(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// Control characters, and what Unicode takes for a line end, become spaces.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(subject: &str, text: &str) -> Mail {
        Mail {
            message_id: "<1@example.com>".into(),
            to: vec!["ops@example.com".into(), "Second <second@example.com>".into()],
            subject: subject.into(),
            text: text.into(),
            date: "2026-11-24T09:12:00Z".parse().unwrap(),
            priority: 3,
        }
    }

    fn bytes(mail: &Mail) -> String {
        String::from_utf8(written(mail, &"board@example.com".parse().unwrap()).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_has_its_headers() {
        let text = bytes(&Mail { priority: 1, ..mail("Grüße", "hello\nworld") });
        for line in [
            "From: board@example.com",
            "To: ops@example.com, Second <second@example.com>",
            "Subject: =?utf-8?b?R3LDvMOfZQ==?=",
            "Message-ID: <1@example.com>",
            "Date: Tue, 24 Nov 2026 09:12:00 +0000",
            "Auto-Submitted: auto-generated",
            "X-Priority: 1",
            "Importance: high",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
        assert!(!bytes(&mail("a", "b")).contains("Priority"));
    }

    #[test]
    fn nothing_escapes_into_the_headers() {
        for hostile in [
            "a\r\nBcc: evil@example.com",
            "a\nX: y",
            "a\rX: y",
            "a\0b",
            "a\u{2028}X: y",
            "a\u{85}X: y",
            &"x".repeat(2_000),
        ] {
            let text = bytes(&mail(hostile, "hello"));
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let names = [
                "From:",
                "Subject:",
                "Date:",
                "Message-ID:",
                "Auto-Submitted:",
                "To:",
                "MIME-Version:",
                "Content-Type:",
                "Content-Transfer-Encoding:",
            ];
            for line in head.split("\r\n").filter(|line| !line.starts_with(' ')) {
                assert!(names.iter().any(|name| line.starts_with(name)), "{hostile:?} made the header {line:?}");
            }
            assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{hostile:?}");
            assert_eq!(body.trim_end(), "hello");
        }
    }

    #[test]
    fn an_address_that_is_none_cannot_be_written() {
        let wrong = Mail { to: vec!["nobody".into()], ..mail("a", "b") };
        assert!(written(&wrong, &"board@example.com".parse().unwrap()).is_err());
    }
}
