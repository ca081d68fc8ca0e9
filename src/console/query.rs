use std::convert::Infallible;
use std::fmt::Write as _;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::api::{Problem, escaped};

/// What stands behind the `?` of a page, so that its links can keep it: every page that can be
/// seen has an address that can be sent to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// What has no value is left out: a form sends its empty fields too.
    pub fn read(text: &str) -> Self {
        let pairs = url::form_urlencoded::parse(text.as_bytes());
        let said = pairs.filter(|(_, value)| !value.trim().is_empty());
        Self(said.map(|(name, value)| (name.into_owned(), value.trim().to_owned())).collect())
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All that is said under a name, in its order.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.pairs().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// All that is said, in its order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The same, but for what is said under a name.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut query = self.without(name);
        query.0.push((name.to_owned(), value.to_owned()));
        query
    }

    /// The same without what is said under a name.
    pub fn without(&self, name: &str) -> Self {
        Self(self.0.iter().filter(|(known, _)| known != name).cloned().collect())
    }

    /// The address of a page with it.
    pub fn link(&self, path: &str) -> String {
        let mut link = path.to_owned();
        for (index, (name, value)) in self.0.iter().enumerate() {
            let sign = if index == 0 { '?' } else { '&' };
            let _ = write!(link, "{sign}{}={}", escaped(name), escaped(value));
        }
        link
    }

    /// What an endpoint of the API makes of it.
    ///
    /// # Errors
    /// When the endpoint does not know what is said.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let uri: Uri = self.link("/").parse().map_err(|_| Problem::wrong("it is too long"))?;
        let read = axum::extract::Query::<T>::try_from_uri(&uri);
        read.map(|axum::extract::Query(said)| said).map_err(|e| Problem::wrong(e.body_text()))
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or_default()))
    }
}

/// The address of an instance's page.
pub(super) fn instance_link(saga: &str, key: &str) -> String {
    format!("/instances/{}/{}", escaped(saga), escaped(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_what_was_said_and_escapes_it() {
        let query = Query::read("saga=order&key=a%26b+c&step=&state=stuck");
        assert_eq!(query.link("/x"), "/x?saga=order&key=a%26b%20c&state=stuck");
        assert_eq!(
            query.without("key").with("saga", "é<").link("/"),
            "/?state=stuck&saga=%C3%A9%3C"
        );
        assert_eq!((query.get("key"), query.get("step")), (Some("a&b c"), None));
        assert_eq!(Query::default().link("/"), "/");
    }

    #[test]
    fn a_key_that_has_slashes_or_is_a_script_stays_one_part_of_the_path() {
        assert_eq!(instance_link("order", "a/../b"), "/instances/order/a%2F..%2Fb");
        assert_eq!(instance_link("order", "\"><script>"), "/instances/order/%22%3E%3Cscript%3E");
    }
}
