//! Who there is by the files: `users.txt`, and the service user.

use std::{collections::BTreeMap, sync::Arc};

use crate::names::UserName;

use super::Role;

/// A line of `users.txt`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUser {
    /// The name.
    pub name: UserName,
    /// The role, where the line gives one.
    pub role: Option<Role>,
}

/// The people of `users.txt`, and the service user, who is an admin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    listed: Arc<Vec<ListedUser>>,
    by_folded_name: BTreeMap<String, ListedUser>,
    service_user: UserName,
    service_password_is_setting: bool,
}

impl People {
    /// The people of a list, unique whatever the case, and the service user.
    pub fn new(listed: Vec<ListedUser>, service_user: UserName, service_password_is_setting: bool) -> People {
        let mut by_folded_name: BTreeMap<String, ListedUser> =
            listed.iter().map(|user| (user.name.folded(), user.clone())).collect();
        let service = ListedUser { name: service_user.clone(), role: Some(Role::Admin) };
        by_folded_name.insert(service_user.folded(), service);
        People { listed: Arc::new(listed), by_folded_name, service_user, service_password_is_setting }
    }

    /// The same service user with another list.
    pub fn with_list(&self, listed: Vec<ListedUser>) -> People {
        People::new(listed, self.service_user.clone(), self.service_password_is_setting)
    }

    /// The user of that name, whatever the case, as the files have it.
    pub fn find(&self, name: &UserName) -> Option<&ListedUser> {
        self.by_folded_name.get(&name.folded())
    }

    /// The names of `users.txt`, in its order.
    pub fn listed(&self) -> &[ListedUser] {
        &self.listed
    }

    /// The account under which old scripts post.
    pub fn service_user(&self) -> &UserName {
        &self.service_user
    }

    /// Whether that is the service user.
    pub fn is_service(&self, user: &UserName) -> bool {
        user.is_same_account(&self.service_user)
    }

    /// Whether the account's only password is a setting.
    pub fn has_setting(&self, user: &UserName) -> bool {
        self.service_password_is_setting && self.is_service(user)
    }
}
