use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Token;

/// How long a session lasts.
pub(super) const SESSION_MAX: Duration = Duration::from_secs(12 * 3_600);
/// The most sessions at once; the one that would end first makes room.
const SESSIONS_MAX: usize = 10_000;

/// The sessions of browsers. Each stands for the token that it was made of, which is looked at
/// again with every request: it ends with its token, if not before. They are not kept over a
/// restart of the server.
#[derive(Default)]
pub(super) struct Sessions(Mutex<BTreeMap<[u8; 32], Session>>);

struct Session {
    token: String,
    until: Instant,
}

impl Sessions {
    /// Begins one; answers what its browser shows from now on.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn begin(&self, token: &str, now: Instant) -> io::Result<String> {
        let shown = Token::draw()?.reveal().to_owned();
        let mut all = self.all();
        all.retain(|_, session| session.until > now);
        if all.len() >= SESSIONS_MAX {
            let first = all.iter().min_by_key(|(_, session)| session.until).map(|(name, _)| *name);
            first.and_then(|name| all.remove(&name));
        }
        all.insert(name(&shown), Session { token: token.to_owned(), until: now + SESSION_MAX });
        Ok(shown)
    }

    /// The token that a session stands for; none if there is no such session any more.
    pub fn token(&self, shown: &str, now: Instant) -> Option<String> {
        let all = self.all();
        let session = all.get(&name(shown)).filter(|session| session.until > now)?;
        Some(session.token.clone())
    }

    /// Ends one.
    pub fn end(&self, shown: &str) {
        self.all().remove(&name(shown));
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a session is known by here: who reads the memory of another process learns nothing by how
/// long a look takes.
fn name(shown: &str) -> [u8; 32] {
    *blake3::hash(shown.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::guard;

    #[test]
    fn a_session_stands_for_its_token_until_it_ends() {
        let (sessions, now) = (Sessions::default(), guard::now());
        let ana = sessions.begin("ana's", now).expect("randomness");
        let ben = sessions.begin("ben's", now + Duration::from_secs(1)).expect("randomness");
        assert_ne!(ana, ben);
        assert_eq!(sessions.token(&ana, now).as_deref(), Some("ana's"));
        assert_eq!(sessions.token("ana's", now), None, "the token is no session");
        let late = now + SESSION_MAX;
        assert_eq!(sessions.token(&ana, late), None);
        assert_eq!(sessions.token(&ben, late).as_deref(), Some("ben's"));
        sessions.end(&ben);
        assert_eq!(sessions.token(&ben, late), None);
    }

    #[test]
    fn sessions_have_an_end_in_number() {
        let (sessions, now) = (Sessions::default(), guard::now());
        let second = |number: usize| Duration::from_secs(number as u64);
        let begin = |number| sessions.begin("t", now + second(number)).expect("randomness");
        let first = begin(0);
        let all: Vec<_> = (1..SESSIONS_MAX).map(begin).collect();
        let at = now + second(SESSIONS_MAX);
        assert!(sessions.token(&first, at).is_some());
        let last = begin(SESSIONS_MAX);
        assert!(sessions.token(&first, at).is_none(), "it would have ended first");
        assert!(sessions.token(&all[0], at).is_some() && sessions.token(&last, at).is_some());
    }
}
