//! Packets of the Socket.IO protocol, revision 5: text only, one namespace.
//!
//! `0` connect, `1` disconnect, `2` event, `3` ack, `4` connect error; behind
//! it the namespace where it is not `/`, an ack's number, and JSON. Binary
//! packets (`5`, `6`) are deliberately not read.

use serde::Serialize;
use wire::board::{ConnectError, ConnectErrorData};

/// What a client may send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// Let me in.
    Connect { namespace: &'a str, payload: &'a str },
    /// I leave.
    Disconnect,
    /// Something happened; with a number where an answer is waited for.
    Event { id: Option<u64>, payload: &'a str },
    /// An answer; nothing is asked of clients.
    Ack,
}

/// Reads a packet; `None` for what is not one.
pub(super) fn read(text: &str) -> Option<Packet<'_>> {
    let kind = text.as_bytes().first()?;
    let rest = text.get(1..)?;
    let (namespace, rest) =
        if rest.starts_with('/') { rest.split_once(',').unwrap_or((rest, "")) } else { ("/", rest) };
    match (kind, namespace) {
        (b'0', _) => Some(Packet::Connect { namespace, payload: rest }),
        (b'1', "/") => Some(Packet::Disconnect),
        (b'2', "/") => {
            let (id, payload) = number(rest)?;
            Some(Packet::Event { id, payload })
        }
        (b'3', "/") => Some(Packet::Ack),
        _ => None,
    }
}

/// The frame that lets a socket in.
pub(super) fn connected(sid: &str) -> String {
    format!(r#"0{{"sid":"{sid}"}}"#)
}

/// The frame that does not.
pub(super) fn connect_error(namespace: &str, message: &str, code: &'static str) -> String {
    let prefix = if namespace == "/" { String::new() } else { format!("{namespace},") };
    let error = ConnectError { message: message.into(), data: ConnectErrorData { code } };
    format!("4{prefix}{}", json(&error))
}

/// The frame of an event.
pub(super) fn event(name: &str, payload: &impl Serialize) -> String {
    format!(r#"2["{name}",{}]"#, json(payload))
}

/// The frame of an answer.
pub(super) fn ack(id: u64, payload: &impl Serialize) -> String {
    format!("3{id}[{}]", json(payload))
}

/// The frame that ends a socket whose sign-in ended.
pub(super) const DISCONNECTED: &str = "1";

fn number(text: &str) -> Option<(Option<u64>, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = text.split_at(digits);
    if number.is_empty() { Some((None, rest)) } else { Some((Some(number.parse().ok()?), rest)) }
}

fn json(payload: &impl Serialize) -> String {
    serde_json::to_string(payload).expect("shapes of the API are plain values with string keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_as_the_protocol_says() {
        for (text, expected) in [
            ("0", Some(Packet::Connect { namespace: "/", payload: "" })),
            ("0{\"token\":\"a,b\"}", Some(Packet::Connect { namespace: "/", payload: "{\"token\":\"a,b\"}" })),
            ("0/admin,{}", Some(Packet::Connect { namespace: "/admin", payload: "{}" })),
            ("0/admin", Some(Packet::Connect { namespace: "/admin", payload: "" })),
            ("1", Some(Packet::Disconnect)),
            ("2[\"check\",{}]", Some(Packet::Event { id: None, payload: "[\"check\",{}]" })),
            ("212[\"check\"]", Some(Packet::Event { id: Some(12), payload: "[\"check\"]" })),
            ("31[]", Some(Packet::Ack)),
            ("299999999999999999999[\"a\"]", None),
            ("2/admin,[\"a\"]", None),
            ("51-[\"a\",{\"_placeholder\":true,\"num\":0}]", None),
            ("", None),
            ("é", None),
            ("garbage", None),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn frames_are_written_as_the_protocol_says() {
        let error = connect_error("/", "no \"way\"", "unauthorized");
        assert_eq!(error, r#"4{"message":"no \"way\"","data":{"code":"unauthorized"}}"#);
        assert!(connect_error("/a", "no", "bad_request").starts_with("4/a,{"));
        assert_eq!(event("changes", &[1]), r#"2["changes",[1]]"#);
        assert_eq!(ack(7, &true), "37[true]");
        assert_eq!(connected("x"), r#"0{"sid":"x"}"#);
    }
}
