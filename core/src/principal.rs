//! Who may delete: the principals that a policy authorizes, and whether an actor is one of them.
//!
//! A session's own name is chosen by whoever opens it, so it never counts: a role is matched by the account, path and name
//! of its issuer, a user by its account and name.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::ids::AccountId;
use crate::trail::{Actor, ActorKind};

/// One entry of `authorizedPrincipals`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Principal {
    /// The accounts that the role or user may be of. Empty matches none.
    pub accounts: BTreeSet<AccountId>,
    pub who: Who,
    /// Only a session that was opened with MFA.
    pub require_mfa: bool,
    /// Only sessions with this source identity; `*` stands for any run of characters but `/` and `:`.
    pub source_identity: Option<Arc<str>>,
}

/// Names may hold `*`, which stands for any run of characters but `/` and `:`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    Role { path: Arc<str>, name: Arc<str> },
    User { name: Arc<str> },
}

impl Principal {
    /// Whether this actor is meant. Root, AWS services and kinds that we do not know never are.
    pub fn matches(&self, actor: &Actor) -> bool {
        let is_who = match (&self.who, actor.kind, &actor.issuer, &actor.user_name) {
            (Who::Role { path, name }, ActorKind::AssumedRole, Some(issuer), _) => {
                self.accounts.contains(&issuer.account)
                    && is_like(path, &issuer.path)
                    && is_like(name, &issuer.name)
            }
            (Who::User { name }, ActorKind::IamUser, _, Some(user)) => {
                actor.account.is_some_and(|account| self.accounts.contains(&account)) && is_like(name, user)
            }
            _ => false,
        };
        let has_mfa = !self.require_mfa || actor.mfa == Some(true);
        let is_source = self
            .source_identity
            .as_ref()
            .is_none_or(|wanted| actor.source_identity.as_ref().is_some_and(|found| is_like(wanted, found)));
        is_who && has_mfa && is_source
    }
}

/// Whether a text is like a pattern in which `*` stands for any run of characters but `/` and `:`.
pub fn is_like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        // The star before this part ends at the latest where a slash or colon begins.
        let reach = rest.find(['/', ':']).unwrap_or(rest.len());
        let found = if is_last {
            rest.len().checked_sub(part.len()).filter(|at| rest.is_char_boundary(*at) && rest[*at..] == *part)
        } else {
            rest.find(part)
        };
        let Some(at) = found.filter(|at| *at <= reach) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trail::Issuer;

    fn role(path: &str, name: &str) -> Actor {
        let account: AccountId = "111122223333".parse().unwrap();
        Actor {
            kind: ActorKind::AssumedRole,
            account: Some(account),
            arn: "arn:aws:sts::111122223333:assumed-role/x/network-admin".into(),
            issuer: Some(Issuer { arn: "".into(), account, path: path.into(), name: name.into() }),
            ..Actor::default()
        }
    }

    fn wanted(path: &str, name: &str) -> Principal {
        Principal {
            accounts: ["111122223333".parse().unwrap()].into(),
            who: Who::Role { path: path.into(), name: name.into() },
            require_mfa: false,
            source_identity: None,
        }
    }

    #[test]
    fn a_star_crosses_neither_slash_nor_colon() {
        for (pattern, text, like) in [
            ("a*", "abc", true),
            ("a*", "ab/c", false),
            ("a*", "a:c", false),
            ("*", "", true),
            ("*c", "abc", true),
            ("*c", "a/c", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abc/e", false),
            ("a*/b*", "ax/by", true),
            ("a*/b*", "ax/y/by", false),
            ("ab", "abc", false),
            ("", "", true),
            ("", "a", false),
            ("a*a", "a", false),
            ("/aws-reserved/*/", "/aws-reserved/sso.amazonaws.com/", true),
            ("/aws-reserved/*/", "/aws-reserved/sso.amazonaws.com/eu-west-1/", false),
        ] {
            assert_eq!(is_like(pattern, text), like, "{pattern} {text}");
        }
    }

    #[test]
    fn a_role_is_its_issuers_account_path_and_name_and_never_its_sessions_name() {
        assert!(wanted("/", "network-admin").matches(&role("/", "network-admin")));
        assert!(
            !wanted("/", "network-admin").matches(&role("/", "x")),
            "the session is called network-admin"
        );
        assert!(!wanted("/", "network-admin").matches(&role("/other/", "network-admin")));
        let mut elsewhere = role("/", "network-admin");
        elsewhere.issuer.as_mut().unwrap().account = "444455556666".parse().unwrap();
        assert!(!wanted("/", "network-admin").matches(&elsewhere));
    }

    #[test]
    fn root_services_and_unknown_kinds_are_nobody() {
        let all = Principal { who: Who::User { name: "*".into() }, ..wanted("*", "*") };
        for kind in [
            ActorKind::Root,
            ActorKind::AwsService,
            ActorKind::AwsAccount,
            ActorKind::FederatedUser,
            ActorKind::Other,
        ] {
            let actor = Actor { kind, user_name: Some("root".into()), ..role("/", "network-admin") };
            assert!(!wanted("*", "*").matches(&actor) && !all.matches(&actor), "{kind:?}");
        }
        let user = Actor { kind: ActorKind::IamUser, user_name: Some("ada".into()), ..role("/", "") };
        assert!(all.matches(&user) && !wanted("/", "*").matches(&user));
    }

    #[test]
    fn mfa_and_source_identity_are_asked_for_where_the_policy_says_so() {
        let strict = Principal { require_mfa: true, ..wanted("/", "network-admin") };
        let mut actor = role("/", "network-admin");
        assert!(!strict.matches(&actor), "the record does not say");
        actor.mfa = Some(false);
        assert!(!strict.matches(&actor));
        actor.mfa = Some(true);
        assert!(strict.matches(&actor));
        let named = Principal { source_identity: Some("ada*".into()), ..wanted("/", "network-admin") };
        assert!(!named.matches(&actor));
        actor.source_identity = Some("ada@example".into());
        assert!(named.matches(&actor));
    }
}
