//! The variables of a function's process: Lambda's, the declared ones, and of the host's no more than a program needs to be found
//! and to speak.
//!
//! Source: Lambda developer guide, "Using Lambda environment variables", "Defined runtime environment variables".

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;

use time::OffsetDateTime;
use uuid::Uuid;

use super::Surroundings;
use crate::declaration::Declaration;

pub(super) fn of(
    declaration: &Declaration,
    surroundings: &Surroundings,
    address: SocketAddr,
) -> BTreeMap<String, OsString> {
    let mut all = BTreeMap::new();
    for name in HOSTS {
        if let Some(value) = std::env::var_os(name) {
            all.insert((*name).to_owned(), value);
        }
    }
    let day = OffsetDateTime::now_utc().date();
    let stream = format!(
        "{}/{:02}/{:02}/[$LATEST]{}",
        day.year(),
        u8::from(day.month()),
        day.day(),
        Uuid::new_v4().simple()
    );
    let mut set = |name: &str, value: OsString| all.insert(name.to_owned(), value);
    set("AWS_REGION", surroundings.region.clone().into());
    set("AWS_DEFAULT_REGION", surroundings.region.clone().into());
    set("TZ", ":UTC".into());
    for (name, value) in &declaration.environment {
        set(name, value.into());
    }
    set("AWS_LAMBDA_RUNTIME_API", address.to_string().into());
    set("AWS_LAMBDA_FUNCTION_NAME", declaration.name.clone().into());
    set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into());
    set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", declaration.memory_mb.to_string().into());
    set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into());
    set("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", declaration.name).into());
    set("AWS_LAMBDA_LOG_STREAM_NAME", stream.into());
    set("_HANDLER", declaration.handler.clone().into());
    set("LAMBDA_TASK_ROOT", declaration.directory.clone().into());
    all
}

/// What comes from the host's own.
const HOSTS: &[&str] = &["PATH", "HOME", "LANG"];
