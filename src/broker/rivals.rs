//! Tells a second process of our name from the fence that our own return puts up.
//!
//! A static member whose coordinator moves joins again, and an older request of its own is then
//! refused as if another process had taken its place (librdkafka #3437). So being fenced says
//! little; who stands in the group under our name says it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaResult;

use super::asking::end_finder;
use super::connection::{Connection, describe};
use super::faults::{passing, replaced};
use super::membership::Membership;
use crate::runtime::Lost;

const ANSWER_MAX: Duration = Duration::from_secs(5);
/// Stands between a client's name and the token of whoever made it.
const MARK: char = '#';

/// A name for one life of a node: no other process, nor a later one, has the same.
pub(super) fn token() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = (std::process::id(), now.as_nanos(), COUNT.fetch_add(1, Ordering::Relaxed));
    let hash = blake3::hash(format!("{seed:?}").as_bytes()).to_hex();
    hash[..8].to_owned()
}

/// The name that a member of a group gives itself.
pub(super) fn member_name(client: &str, token: &str) -> String {
    format!("{client}{MARK}{token}")
}

/// What it means that a static member was fenced: the end, if another process stands in the group
/// under its name, else a reason to join again.
pub(super) fn judge(connection: &Connection, membership: &Membership, group: &str) -> Lost {
    let client = membership.client();
    match others(connection, group, &client, &membership.token) {
        Ok(others) if others.is_empty() => {
            passing("fenced by our own return to the group; joining again".to_owned())
        }
        Ok(_) => Lost { reason: replaced(), fatal: true },
        Err(error) => {
            let error = describe(&error);
            passing(format!("fenced, and the group does not say by whom: {error}; joining again"))
        }
    }
}

/// The tokens of others that stand in a group under the name of `client`.
fn others(
    connection: &Connection,
    group: &str,
    client: &str,
    own: &str,
) -> KafkaResult<Vec<String>> {
    let asking = end_finder(connection, &format!("{client}.rivals"));
    let asking =
        asking.map_err(|error| rdkafka::error::KafkaError::ClientCreation(error.to_string()))?;
    let groups = asking.fetch_group_list(Some(group), ANSWER_MAX)?;
    let members = groups.groups().iter().flat_map(|group| group.members());
    let names: Vec<&str> = members.map(|member| member.client_id()).collect();
    Ok(tokens(&names, client).filter(|token| *token != own).map(str::to_owned).collect())
}

fn tokens<'n>(names: &'n [&'n str], client: &'n str) -> impl Iterator<Item = &'n str> {
    let split = names.iter().filter_map(|name| name.split_once(MARK));
    split.filter(move |(name, _)| *name == client).map(|(_, token)| token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_member_of_the_same_name_and_another_token_is_a_rival() {
        let (own, other) = (token(), token());
        assert_ne!(own, other);
        let names =
            [member_name("app.a.0", &own), member_name("app.b.0", &other), "app.a.0".to_owned()];
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(tokens(&names, "app.a.0").collect::<Vec<_>>(), [own.as_str()]);
        let rival = member_name("app.a.0", &other);
        let names = [names[0], rival.as_str()];
        assert_eq!(tokens(&names, "app.a.0").filter(|t| *t != own).count(), 1);
    }
}
