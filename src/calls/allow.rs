use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::target::{Target, plain};
use crate::definition::Scheme;

/// The hosts that may be called; nobody by default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Allow {
    /// Hosts at public addresses.
    pub public: Vec<Pattern>,
    /// Hosts, each named exactly, that may be on this machine or in a private network.
    pub private: Vec<HostName>,
}

impl Allow {
    /// Whether a call to that authority would be made, as far as its name tells: worth to be asked
    /// for every definition before the first instance finds out.
    #[must_use]
    pub fn names(&self, scheme: Scheme, authority: &str) -> bool {
        let url = format!("{}://{authority}/", scheme.text());
        let target = url.parse().ok().and_then(|uri| Target::of(&uri).ok());
        target.is_some_and(|target| self.permits(&target))
    }

    /// Whether a host may be called at all.
    pub(super) fn permits(&self, target: &Target) -> bool {
        self.public.iter().any(|pattern| pattern.matches(target)) || self.permits_near(target)
    }

    /// Whether it may be on this machine or in a private network.
    pub(super) fn permits_near(&self, target: &Target) -> bool {
        self.private.iter().any(|name| name.matches(target))
    }
}

/// One host, such as `fraud.internal`, `localhost:8080` or `[::1]:8080`. Without a port it means
/// the scheme's own: 80 or 443.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    host: String,
    port: Option<u16>,
}

impl HostName {
    fn matches(&self, target: &Target) -> bool {
        self.host == target.host && self.matches_port(target)
    }

    fn matches_port(&self, target: &Target) -> bool {
        self.port.map_or(target.is_default_port(), |port| port == target.port)
    }
}

/// One host, or with `*.` in front every name that ends like that, such as `*.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// Whether names below it are meant, and not itself.
    below: bool,
    name: HostName,
}

impl Pattern {
    fn matches(&self, target: &Target) -> bool {
        if !self.below {
            return self.name.matches(target);
        }
        let above = target.host.strip_suffix(self.name.host.as_str());
        let is_below = above.is_some_and(|above| above.len() > 1 && above.ends_with('.'));
        is_below && self.name.matches_port(target)
    }
}

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            let how = if text.contains('*') { "each by its exact name, " } else { "" };
            let names = "fraud.internal, localhost:8080 or [::1]:8080";
            format!("`{text}` is not a host; write {how}such as {names}")
        };
        let (host, rest) = match text.strip_prefix('[') {
            Some(inner) => {
                let (host, rest) = inner.split_once(']').ok_or_else(wrong)?;
                host.parse::<Ipv6Addr>().map_err(|_| wrong())?;
                (host, rest)
            }
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(port.parse().ok().filter(|p| *p > 0).ok_or_else(wrong)?),
            None if rest.is_empty() => None,
            None => return Err(wrong()),
        };
        let host = plain(host);
        if host.parse::<IpAddr>().is_ok() || is_name(&host) {
            Ok(Self { host, port })
        } else {
            Err(wrong())
        }
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("*.") {
            None if text.starts_with('*') => {
                Err(format!("`{text}` would allow every host; write such as *.example.org"))
            }
            None => Ok(Self { below: false, name: text.parse()? }),
            Some(rest) => {
                let name = rest.parse::<HostName>();
                let name = name
                    .map_err(|_| format!("`{text}` is not a host; write such as *.example.org"))?;
                if name.host.parse::<IpAddr>().is_ok() {
                    return Err(format!("`{text}` is not a host; nothing is below an address"));
                }
                Ok(Self { below: true, name })
            }
        }
    }
}

fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.len() <= 63 && label.chars().all(legal)
    };
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Target {
        Target::of(&url.parse().expect(url)).expect("a target")
    }

    fn check(pattern: &str, yes: &[&str], no: &[&str]) {
        let pattern: Pattern = pattern.parse().expect(pattern);
        for url in yes {
            assert!(pattern.matches(&target(url)), "{url}");
        }
        for url in no {
            assert!(!pattern.matches(&target(url)), "{url}");
        }
    }

    #[test]
    fn a_name_means_itself_at_the_ports_of_the_schemes() {
        check(
            "Fraud.Internal",
            &["http://fraud.internal/", "https://FRAUD.internal./", "http://fraud.internal:80/"],
            &[
                "http://fraud.internal:8080/",
                "http://fraud.internal:443/",
                "http://a.fraud.internal/",
                "http://fraud.internal.evil.example/",
                "http://fraudxinternal/",
            ],
        );
        check("localhost:8080", &["http://localhost:8080/"], &["http://localhost/"]);
        check("[::1]:8080", &["http://[::1]:8080/"], &["http://[::2]:8080/"]);
        check("10.0.0.1", &["http://10.0.0.1/"], &["http://110.0.0.1/"]);
    }

    #[test]
    fn a_star_means_everything_below_and_nothing_beside() {
        check(
            "*.example.org",
            &["http://a.example.org/", "https://b.a.example.org/"],
            &["http://example.org/", "http://evilexample.org/", "http://example.org.evil/"],
        );
        check("*.example.org:81", &["http://a.example.org:81/"], &["http://a.example.org/"]);
    }

    #[test]
    fn a_definition_is_told_before_whether_its_host_may_be_called() {
        let public = vec!["*.a.org".parse().expect("a pattern")];
        let allow = Allow { public, private: vec!["b:81".parse().expect("a host")] };
        for (scheme, authority, named) in [
            (Scheme::Https, "b.a.org", true),
            (Scheme::Http, "B:81", true),
            (Scheme::Http, "b:82", false),
            (Scheme::Http, "a.org", false),
            (Scheme::Http, "x@b.a.org", false),
            (Scheme::Http, "", false),
        ] {
            assert_eq!(allow.names(scheme, authority), named, "{authority}");
        }
    }

    #[test]
    fn what_names_no_host_is_refused_with_words() {
        for text in [
            "",
            "*",
            "*example.org",
            "a.*.org",
            "http://a",
            "a/b",
            "a b",
            "a:0",
            "a:x",
            "a:",
            "::1",
            "[::1",
            "[a]",
            "[::1]8080",
            "a..b",
            "*.10.0.0.1",
            "*.*.org",
            "*.",
            "ü.example",
        ] {
            let words = text.parse::<Pattern>().expect_err(text);
            assert!(words.contains(&format!("`{text}` ")), "{words}");
        }
    }
}
