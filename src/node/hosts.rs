use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::calls::Allow;
use crate::definition::Definition;

/// A call that the configuration does not allow: each attempt of it will fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unallowed {
    /// The definition, with its version.
    pub definition: String,
    /// The step.
    pub step: String,
    /// What it calls, such as `POST https://fraud.internal`.
    pub call: String,
    /// What to write into the configuration if it is meant.
    pub add: String,
}

/// The calls of definitions that the configuration does not allow, in their order.
#[must_use]
pub fn unallowed(definitions: &[Definition], allow: &Allow) -> Vec<Unallowed> {
    let mut found = Vec::new();
    for definition in definitions {
        let mut told = BTreeSet::new();
        for step in &definition.steps {
            let calls = step.calls().map(|(_, call)| call);
            for call in calls.filter(|call| !allow.names(call.scheme, &call.authority)) {
                let (method, scheme) = (call.method.text(), call.scheme.text());
                if !told.insert((&step.name, method, scheme, &call.authority)) {
                    continue;
                }
                found.push(Unallowed {
                    definition: format!("{} {}", definition.saga, definition.version),
                    step: step.name.to_string(),
                    call: format!("{method} {scheme}://{}", call.authority),
                    add: line(&call.authority),
                });
            }
        }
    }
    found
}

/// The configuration's line that allows a host. An address and this machine are seldom public.
fn line(authority: &str) -> String {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let near = host == "localhost" || host.parse::<IpAddr>().is_ok();
    let key = if near { "allow-private" } else { "allow" };
    format!("calls: {{ {key}: [\"{authority}\"] }}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::parse;

    const SAGA: &str = "
saga: transfer
version: 3
start: { on: t/Ordered }
steps:
  - { step: score, call: POST https://fraud.internal/scores, compensate: none }
  - { step: hold, call: POST http://localhost:8080/holds,
      compensate: { call: DELETE https://holds.example.org/holds } }
  - { step: tell, pivot: true, call: POST https://a.example.org/told }
";

    #[test]
    fn each_call_to_a_host_that_is_not_allowed_is_told_with_the_line_to_add() {
        let definition = parse("saga.yaml", SAGA).unwrap_or_else(|e| panic!("{e}"));
        let mut allow = Allow::default();
        let told = |allow: &Allow| -> Vec<String> {
            let found = unallowed(std::slice::from_ref(&definition), allow);
            let text =
                |u: &Unallowed| format!("{}: {}: {}: {}", u.definition, u.step, u.call, u.add);
            found.iter().map(text).collect()
        };
        assert_eq!(
            told(&allow),
            [
                "transfer 3: score: POST https://fraud.internal: \
                 calls: { allow: [\"fraud.internal\"] }",
                "transfer 3: hold: POST http://localhost:8080: \
                 calls: { allow-private: [\"localhost:8080\"] }",
                "transfer 3: hold: DELETE https://holds.example.org: \
                 calls: { allow: [\"holds.example.org\"] }",
                "transfer 3: tell: POST https://a.example.org: \
                 calls: { allow: [\"a.example.org\"] }",
            ]
        );
        allow.public = vec!["*.example.org".parse().expect("a pattern")];
        allow.private = vec!["localhost:8080".parse().expect("a host")];
        assert_eq!(told(&allow).len(), 1);
    }
}
