//! Whom a function's processes run as.

use nix::unistd::{Uid, User};

/// A choice that only root has: others start processes as themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunAs {
    /// As the host.
    Host,
    /// As this user and group.
    User { uid: u32, gid: u32 },
    /// As nobody in particular, or as the host where such a user cannot get at the program and its directory.
    Unprivileged { uid: u32, gid: u32 },
}

impl RunAs {
    /// By the name in a declaration, if there is one.
    pub(super) fn named(name: Option<&str>) -> Result<Self, String> {
        let own = Uid::effective();
        let find = |name: &str| User::from_name(name).ok().flatten();
        match name {
            None if !own.is_root() => Ok(Self::Host),
            None => Ok(find("nobody").map_or(Self::Host, |user| Self::Unprivileged {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            })),
            Some(name) => match find(name) {
                None => Err(format!("this machine has no user '{name}'")),
                Some(user) if user.uid == own => Ok(Self::Host),
                Some(_) if !own.is_root() => {
                    Err("only root may start processes as somebody else; leave it out".to_owned())
                }
                Some(user) => Ok(Self::User { uid: user.uid.as_raw(), gid: user.gid.as_raw() }),
            },
        }
    }
}
