use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hyper::Uri;

use super::failure::Failure;

/// Whom a request goes to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// The host: a name in lower case, or an address; an address of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether it is spoken to over TLS.
    pub secure: bool,
}

impl Target {
    /// Reads whom an absolute URL names.
    pub fn of(uri: &Uri) -> Result<Self, Failure> {
        let wrong = |words: &str| Failure::Url(words.to_owned());
        let secure = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            Some(_) | None => return Err(wrong("it must begin with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a name or password before the host is not allowed"));
        }
        let host = authority.host();
        let written = authority.as_str().strip_prefix(host).unwrap_or_default();
        let port = match written.strip_prefix(':') {
            Some(port) => port.parse().unwrap_or(0),
            None if secure => 443,
            None => 80,
        };
        if port == 0 {
            return Err(wrong("its port is no number from 1 to 65535"));
        }
        let host = plain(host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host));
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(Self { host, port, secure })
    }

    /// The port that its scheme has when none is written.
    pub fn is_default_port(&self) -> bool {
        self.port == if self.secure { 443 } else { 80 }
    }
}

/// The one way to write a host: a name in lower case, without the dot that may end it; an address
/// as short as it can be.
pub(super) fn plain(host: &str) -> String {
    let host = host.strip_suffix('.').unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => host.to_ascii_lowercase(),
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.parse::<Ipv6Addr>().is_ok() {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<String, String> {
        let uri: Uri = url.parse().map_err(|_| "unreadable".to_owned())?;
        let target = Target::of(&uri).map_err(|failure| failure.to_string())?;
        Ok(format!("{}{target}", if target.secure { "tls " } else { "" }))
    }

    #[test]
    fn a_url_names_its_host_and_port() {
        for (url, expected) in [
            ("http://fraud.internal/score?a=b", "fraud.internal:80"),
            ("https://Fraud.Internal./", "tls fraud.internal:443"),
            ("https://fraud.internal:8443/x", "tls fraud.internal:8443"),
            ("http://[::1]:8080/", "[::1]:8080"),
            ("http://[0:0::0001]/", "[::1]:80"),
            ("http://127.0.0.1/", "127.0.0.1:80"),
        ] {
            assert_eq!(read(url), Ok(expected.to_owned()), "{url}");
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for url in [
            "",
            "/score",
            "fraud.internal",
            "ftp://fraud.internal/",
            "http://fraud.internal@evil.example/",
            "http://user:word@fraud.internal/",
            "http:///x",
            "http://fraud.internal:0/",
            "http://fraud.internal:99999/",
            "http://fraud.internal:/",
            "http://[::1]:x/",
            "http://fraud .internal/",
            "http://./",
        ] {
            assert!(read(url).is_err(), "{url}: {:?}", read(url));
        }
    }
}
