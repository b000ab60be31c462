//! Single sign-on: what a provider's claims mean here.

use serde_json::{Map, Value};

use crate::names::UserName;

use super::Role;

/// What a provider says of somebody, proved to come from it.
pub type Claims = Map<String, Value>;

/// Which of a provider's claims is whose name, and which is a role.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRules {
    /// The claim that holds the user name; unset, `preferred_username`, then `email`.
    pub user_claim: Option<String>,
    /// The claim that holds roles or groups; unset, the provider says nothing of roles.
    pub role_claim: Option<String>,
    /// What makes an auditor, where the role's claim holds it.
    pub auditor_values: Vec<String>,
    /// What makes an admin.
    pub admin_values: Vec<String>,
    /// Whether who has no account gets one.
    pub creates_accounts: bool,
}

/// The claims that hold the user name where none is set, the first that is there.
const USUAL_USER_CLAIMS: [&str; 2] = ["preferred_username", "email"];

/// The claim that says whether a mail address is that person's (OpenID Connect Core 5.1).
const EMAIL_VERIFIED: &str = "email_verified";

impl ClaimRules {
    /// The name by which the provider knows somebody, if it gives one that can be a user's here.
    pub fn user(&self, claims: &Claims) -> Option<UserName> {
        let named = match &self.user_claim {
            Some(claim) => text(claims, claim),
            None => USUAL_USER_CLAIMS.into_iter().find_map(|claim| text(claims, claim)),
        };
        UserName::parse(named?).ok()
    }

    /// The role that the provider gives; `None` where it says nothing of roles.
    pub fn role(&self, claims: &Claims) -> Option<Role> {
        let claim = claims.get(self.role_claim.as_deref()?);
        let has_one_of = |values: &[String]| values.iter().any(|value| claim.is_some_and(|claim| holds(claim, value)));
        Some(if has_one_of(&self.admin_values) {
            Role::Admin
        } else if has_one_of(&self.auditor_values) {
            Role::Auditor
        } else {
            Role::Member
        })
    }
}

/// The text of a claim; a mail address that nobody proved to be theirs is none.
fn text<'a>(claims: &'a Claims, claim: &str) -> Option<&'a str> {
    let is_doubtful = claim == "email" && claims.get(EMAIL_VERIFIED).is_some_and(|verified| !is_true(verified));
    claims.get(claim).and_then(Value::as_str).filter(|text| !text.is_empty() && !is_doubtful)
}

/// Whether it is true; some providers write that as a text.
fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str() == Some("true"))
}

/// Whether a claim is that value, or a list with it.
fn holds(claim: &Value, value: &str) -> bool {
    match claim {
        Value::String(text) => text == value,
        Value::Array(items) => items.iter().any(|item| item.as_str() == Some(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: Value) -> Claims {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_name_is_the_first_of_the_usual_claims_or_the_one_that_is_set() {
        let usual = ClaimRules::default();
        let upn = ClaimRules { user_claim: Some("upn".into()), ..ClaimRules::default() };
        for (rules, given, expected) in [
            (&usual, json!({"preferred_username": "alice", "email": "a@example.com"}), Some("alice")),
            (&usual, json!({"preferred_username": "", "email": "a@example.com"}), Some("a@example.com")),
            (&usual, json!({"email": "a@example.com", "email_verified": true}), Some("a@example.com")),
            (&usual, json!({"email": "a@example.com", "email_verified": "true"}), Some("a@example.com")),
            (&usual, json!({"email": "a@example.com", "email_verified": false}), None),
            (&usual, json!({"email": "a@example.com", "email_verified": "false"}), None),
            (&usual, json!({"sub": "alice"}), None),
            (&usual, json!({"preferred_username": ["alice"]}), None),
            (&usual, json!({"preferred_username": "a\nb"}), None),
            (&upn, json!({"upn": "bob", "preferred_username": "alice"}), Some("bob")),
            (&upn, json!({"preferred_username": "alice"}), None),
        ] {
            let user = rules.user(&claims(given.clone()));
            assert_eq!(user.as_ref().map(UserName::as_str), expected, "{given}");
        }
    }

    #[test]
    fn a_role_is_the_highest_that_the_claim_gives() {
        let rules = ClaimRules {
            role_claim: Some("groups".into()),
            auditor_values: vec!["audit".into()],
            admin_values: vec!["ops".into(), "root".into()],
            ..ClaimRules::default()
        };
        for (given, expected) in [
            (json!({"groups": ["audit", "root"]}), Role::Admin),
            (json!({"groups": "ops"}), Role::Admin),
            (json!({"groups": ["x", "audit"]}), Role::Auditor),
            (json!({"groups": ["ops2", "OPS", 1]}), Role::Member),
            (json!({"groups": {"ops": "ops"}}), Role::Member),
            (json!({}), Role::Member),
        ] {
            assert_eq!(rules.role(&claims(given.clone())), Some(expected), "{given}");
        }
        assert_eq!(ClaimRules::default().role(&claims(json!({"groups": "ops"}))), None);
    }
}
