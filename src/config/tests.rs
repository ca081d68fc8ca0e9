use super::file::parse;
use super::settings::Settings;
use super::*;
use crate::message::{Span, Topic};

fn load(yaml: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
    let mut settings = Settings::default();
    parse("segue.yaml", yaml, &mut settings).map_err(|e| e.to_string())?;
    settings.add_environment(variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
    read::config(settings).map_err(|e| e.to_string())
}

/// The file and the variables are refused with exactly these lines.
fn refused(yaml: &str, variables: &[(&str, &str)], lines: &[&str]) {
    let error = load(yaml, variables).expect_err(yaml);
    assert_eq!(error.lines().collect::<Vec<_>>(), lines, "{yaml}");
}

#[test]
fn every_default_holds_and_is_told_as_one() {
    let config = Config::default();
    assert_eq!(config.app.as_str(), "segue");
    assert_eq!(config.kafka.brokers, ["127.0.0.1:9092"]);
    assert_eq!(config.topics.shards, 4);
    assert_eq!(config.topics.history_retention, Span::hours(7 * 24));
    assert_eq!(config.delivery, Delivery::ExactlyOnce);
    assert_eq!(config.telemetry.endpoint, None);
    assert_eq!(load("", &[]), Ok(config.clone()));
    assert_eq!(load("# nothing\nkafka:\n", &[]), Ok(config.clone()));
    assert_eq!(config.origins().len(), KEYS.len());
    assert!(config.origins().iter().all(|s| s.origin == Origin::Default));
}

#[test]
fn the_environment_stands_over_the_file_and_the_file_over_the_default() {
    let yaml = "app: shop\nkafka:\n  brokers: [a:1, b:2]\n  options: { client.rack: 0123 }\n\
                topics: { shards: 8, replication: -1 }\n\
                unmatched: { topics: { shop.orders: count } }\n";
    let variables = [
        ("SEGUE_TOPICS__SHARDS", "16"),
        ("SEGUE_BATCH__BYTES_MAX", "2MB"),
        ("PATH", "/bin"),
        ("SEGUE_SERVICE_HOST", "10.0.0.1"),
        ("SEGUE_LOG", "debug"),
    ];
    let config = load(yaml, &variables).expect("a configuration");
    assert_eq!(config.app.as_str(), "shop");
    assert_eq!(config.telemetry.service, "shop");
    assert_eq!(config.kafka.brokers, ["a:1", "b:2"]);
    assert_eq!(config.kafka.options["client.rack"], "0123", "digits as they were written");
    assert_eq!(config.topics.shards, 16);
    assert_eq!(config.topics.replication, Replication::Broker);
    assert_eq!(config.batch.bytes_max, Size(2_000_000));
    let orders = Topic::new("shop.orders").expect("a topic");
    let other = Topic::new("other").expect("a topic");
    assert_eq!(config.unmatched.of(&orders), OnUnmatched::Count);
    assert_eq!(config.unmatched.of(&other), OnUnmatched::DeadLetter);
    let shown = |path: &str| {
        let setting = config.origins().iter().find(|s| s.key.path == path).expect("a key");
        (setting.value.clone(), setting.origin.to_string())
    };
    let pair = |value: &str, origin: &str| (value.to_owned(), origin.to_owned());
    assert_eq!(shown("app"), pair("shop", "segue.yaml:1:6"));
    assert_eq!(shown("kafka.brokers"), pair("a:1,b:2", "segue.yaml:3:12"));
    assert_eq!(shown("kafka.options"), pair("client.rack=0123", "segue.yaml:4:12"));
    assert_eq!(shown("topics.shards"), pair("16", "SEGUE_TOPICS__SHARDS"));
    assert_eq!(shown("topics.mode"), pair("create", "default"));
}

#[test]
fn lists_and_maps_stand_in_variables_too() {
    let variables = [
        ("SEGUE_KAFKA__BROKERS", "a:1, b:2"),
        ("SEGUE_UNMATCHED__TOPICS", "x=count, y=dead-letter"),
        ("SEGUE_SAGAS", "one,two"),
    ];
    let config = load("sagas: three\n", &variables).expect("a configuration");
    assert_eq!(config.kafka.brokers, ["a:1", "b:2"]);
    assert_eq!(config.sagas, [Path::new("one"), Path::new("two")]);
    assert_eq!(config.unmatched.topics.len(), 2);
    refused(
        "",
        &[("SEGUE_UNMATCHED__TOPICS", "x")],
        &["SEGUE_UNMATCHED__TOPICS: write name=value,name=value"],
    );
}

#[test]
fn each_topic_says_where_it_is_begun() {
    use crate::message::{StartFrom, Timestamp};

    assert_eq!(Config::default().sources.start_from, StartFrom::Latest);
    let yaml = "sources: { start-from: 2026-11-01T00:00:00Z, topics: { shop.orders: earliest } }\n";
    let sources = load(yaml, &[]).expect("a configuration").sources;
    assert_eq!(sources.start_from, StartFrom::Time(Timestamp(1_793_491_200_000)));
    let orders = Topic::new("shop.orders").expect("a topic");
    assert_eq!(sources.topics[&orders], StartFrom::Earliest);
    let variables = [("SEGUE_SOURCES__TOPICS", "shop.orders=latest")];
    let sources = load(yaml, &variables).expect("a configuration").sources;
    assert_eq!(sources.topics[&orders], StartFrom::Latest);
    refused(
        "sources: { start-from: soon, topics: { a: newest } }\n",
        &[],
        &[
            "segue.yaml:1:38: `sources.topics` is wrong for a: `newest` is not where a topic can \
             start; write earliest, latest or a moment such as 2026-11-01T00:00:00Z",
            "segue.yaml:1:24: `sources.start-from`: `soon` is not where a topic can start; write \
             earliest, latest or a moment such as 2026-11-01T00:00:00Z",
        ],
    );
}

#[test]
fn unknown_keys_are_refused_with_their_place() {
    refused(
        "app: a\nkafka:\n  brokerz: a:1\n",
        &[],
        &["segue.yaml:3:3: unknown key `kafka.brokerz`; did you mean `kafka.brokers`?"],
    );
    refused(
        "broker: a:1\n",
        &[],
        &["segue.yaml:1:1: unknown key `broker`; did you mean `kafka.brokers`?"],
    );
    refused(
        "log: { q: 1 }\n",
        &[],
        &["segue.yaml:1:8: unknown key `log.q`; the keys here are `format`, `level`"],
    );
    refused(
        "log: json\n",
        &[],
        &["segue.yaml:1:1: `log` is a mapping; its keys are `format`, `level`"],
    );
    refused(
        "",
        &[("SEGUE_KAFKA__BROKER", "a:1"), ("SEGUE_APPP", "x"), ("SEGUE_LOG__QQQQQQQQQQ", "x")],
        &[
            "SEGUE_KAFKA__BROKER: unknown variable; did you mean SEGUE_KAFKA__BROKERS?",
            "SEGUE_APPP: unknown variable; did you mean SEGUE_APP?",
            "SEGUE_LOG__QQQQQQQQQQ: unknown variable; `segue config show` lists the keys",
        ],
    );
}

#[test]
fn values_that_cannot_be_obeyed_are_all_named_with_their_origin() {
    refused(
        "app: a b\npipelines: 9\ndelivery: sometimes\nbatch: { wait: 5 }\nkafka: { brokers: x }\n\
         data: [a]\nwatchdog: 1ms\n",
        &[("SEGUE_TOPICS__REPLICATION", "0"), ("SEGUE_CHECKPOINT__BYTES", "1TB")],
        &[
            "segue.yaml:6:7: `data` wants a single value",
            "segue.yaml:1:6: `app`: `a b` cannot begin a topic's name; use letters, digits, `.`, \
             `_` and `-`",
            "segue.yaml:5:19: `kafka.brokers`: `x` is not a broker; write host:port, such as \
             127.0.0.1:9092",
            "segue.yaml:5:19: `kafka.brokers` is empty; name at least one",
            "SEGUE_TOPICS__REPLICATION: `topics.replication`: `0` is not a number of copies; \
             auto, 1 or more, or -1",
            "segue.yaml:3:11: `delivery`: `sometimes` is not one of exactly-once, at-least-once",
            "segue.yaml:4:16: `batch.wait`: `5` is not a duration; write such as 200ms, 10s, \
             1h30m, 7d or 2w",
            "SEGUE_CHECKPOINT__BYTES: `checkpoint.bytes`: `1TB` is not a size; write such as 500, \
             64kB, 4MB or 4MiB",
            "segue.yaml:7:11: `watchdog`: `1ms` is not from 1s to 1d",
            "segue.yaml:2:12: `pipelines` is more than the 4 `topics.shards`",
        ],
    );
}

#[test]
fn what_is_not_yaml_is_refused_with_its_place() {
    for (yaml, place) in [
        ("app: [", "segue.yaml:"),
        ("app: a\n  b: c\n", "segue.yaml:2:"),
        ("- a\n", "segue.yaml:1:1: a configuration is a mapping"),
        ("text", "segue.yaml:1:1: a configuration is a mapping"),
        ("app: a\napp: b\n", "segue.yaml:2:1: "),
        ("a: &x [*x]", "segue.yaml:"),
    ] {
        let error = load(yaml, &[]).expect_err(yaml);
        assert!(error.starts_with(place), "{yaml}: {error}");
    }
    let error = Config::load(Some(Path::new("/does/not/exist.yaml")), std::iter::empty());
    assert!(matches!(error, Err(Error::File { .. })));
}

#[test]
fn nobody_is_called_who_is_not_named() {
    assert_eq!(Config::default().calls, crate::calls::Settings::default());
    let yaml = "calls:\n  allow: [api.example.org, \"*.example.org:8443\"]\n  \
                allow-private: localhost:8080\n  body-bytes-max: 64KiB\n";
    let variables = [("SEGUE_CALLS__ALLOW", "a.example, b.example:81")];
    let config = load(yaml, &[]).expect("a configuration");
    let allow = &config.calls.allow;
    assert_eq!((allow.public.len(), allow.private.len()), (2, 1));
    assert_eq!(config.calls.body_bytes_max, 64 * 1024);
    let named = |name: &str| name.parse().expect(name);
    let overridden = load(yaml, &variables).expect("a configuration").calls.allow;
    assert_eq!(overridden.public, [named("a.example"), named("b.example:81")]);
    assert_eq!(overridden.private, allow.private);
    refused(
        "calls: { allow: [\"*\", \"https://a\"], allow-private: \"*.b\", at-once-max: 0 }\n",
        &[("SEGUE_CALLS__PAUSE", "5"), ("SEGUE_CALLS__ALLOWED", "a")],
        &[
            "SEGUE_CALLS__ALLOWED: unknown variable; did you mean SEGUE_CALLS__ALLOW?",
            "segue.yaml:1:17: `calls.allow`: `*` would allow every host; write such as \
             *.example.org",
            "segue.yaml:1:17: `calls.allow`: `https://a` is not a host; write such as \
             fraud.internal, localhost:8080 or [::1]:8080",
            "segue.yaml:1:52: `calls.allow-private`: `*.b` is not a host; write each by its exact \
             name, such as fraud.internal, localhost:8080 or [::1]:8080",
            "SEGUE_CALLS__PAUSE: `calls.pause`: `5` is not a duration; write such as 200ms, 10s, \
             1h30m, 7d or 2w",
            "segue.yaml:1:72: `calls.at-once-max`: `0` is not a number from 1 to 4096",
        ],
    );
}

#[test]
fn every_limit_of_the_engine_can_be_set() {
    use crate::definition::Limits;

    assert_eq!(load("", &[]).expect("a configuration").limits, Limits::default());
    let yaml = "limits: { event-bytes-max: 2MiB, data-bytes-max: 1KiB, instance-bytes-max: 8KiB, \
                message-bytes-max: 3KiB, reason-bytes-max: 80, queued-max: 1, early-max: 3, \
                early-bytes-max: 2KiB, ids-max: 8, lock-waiting-max: 5, lock-late: 2h, \
                lock-kept: 3h, insist: 4h }\n";
    let limits = load(yaml, &[("SEGUE_LIMITS__QUEUED_MAX", "7")]).expect("a configuration").limits;
    let set = Limits {
        event_bytes_max: 2 << 20,
        data_bytes_max: 1 << 10,
        instance_bytes_max: 8 << 10,
        message_bytes_max: 3 << 10,
        reason_bytes_max: 80,
        queued_max: 7,
        early_max: 3,
        early_bytes_max: 2 << 10,
        ids_max: 8,
        lock_waiting_max: 5,
        lock_late: Span::hours(2),
        lock_kept: Span::hours(3),
        insist: Span::hours(4),
    };
    assert_eq!(limits, set);
    refused(
        "limits: { data-bytes-max: 8KiB, instance-bytes-max: 4KiB, early-max: 0 }\n",
        &[],
        &[
            "segue.yaml:1:70: `limits.early-max`: `0` is not a number from 1 to 10000",
            "segue.yaml:1:27: `limits.data-bytes-max` is more than `limits.instance-bytes-max`, of \
             which it is a part",
        ],
    );
}

#[test]
fn librdkafka_takes_only_what_is_allowed() {
    let lines = ["segue.yaml:1:19: `kafka.options` does not take `fetch.min.byte`; did you mean \
                  `fetch.min.bytes`?"];
    refused("kafka: { options: { fetch.min.byte: 1 } }\n", &[], &lines);
    for name in ["plugin.library.paths", "transactional.id", "enable.idempotence", "group.id"] {
        assert!(!is_allowed(name), "{name}");
        assert!(load("", &[("SEGUE_KAFKA__OPTIONS", &format!("{name}=x"))]).is_err(), "{name}");
    }
}

#[test]
fn a_login_is_whole_and_its_secret_is_never_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("password");
    std::fs::write(&file, "s3cret \n").expect("a file");
    let named = file.display().to_string();
    let base = "kafka: { security: { protocol: sasl-plaintext, username: me } }\n";
    let variable = "SEGUE_KAFKA__SECURITY__PASSWORD_FILE";
    let config = load(base, &[(variable, &named)]).expect("a configuration");
    let password = config.kafka.security.password.as_ref().map(Secret::reveal);
    assert_eq!(password, Some("s3cret "), "only the line break goes");

    let config = load(base, &[("SEGUE_KAFKA__SECURITY__PASSWORD", "s3cret")]).expect("it");
    assert!(!format!("{config:?}").contains("s3cret"));

    let at = "segue.yaml:1:32: `kafka.security.protocol`";
    refused(base, &[], &[&format!("{at} needs `kafka.security.password-file`")]);
    let missing = folder.path().join("missing").display().to_string();
    let lines = format!(
        "{variable}: `kafka.security.password-file`: `{missing}` cannot be read: No such file or \
         directory (os error 2)"
    );
    refused(base, &[(variable, &missing)], &[&lines]);
    let both = [(variable, named.as_str()), ("SEGUE_KAFKA__SECURITY__PASSWORD", "x")];
    let words = "and `password-file` are both set; keep one";
    let name = "SEGUE_KAFKA__SECURITY__PASSWORD: `kafka.security.password`";
    refused(base, &both, &[&format!("{name} {words}")]);
    refused(
        "",
        &[("SEGUE_KAFKA__SECURITY__PASSWORD", "x")],
        &[&format!("{name} has no effect; set `protocol: sasl-ssl`")],
    );
}

#[test]
fn sizes_read_as_they_print() {
    for (text, bytes) in [("500", 500), ("64kB", 64_000), ("4 MiB", 4 << 20), ("1GiB", 1 << 30)] {
        let size: Size = text.parse().expect(text);
        assert_eq!(size, Size(bytes));
        assert_eq!(size.to_string().parse(), Ok(size));
    }
    for text in ["", "MB", "-1", "1.5MB", "1TB", "99999999999999999999", "99999999999GB"] {
        assert!(text.parse::<Size>().is_err(), "{text}");
    }
}

#[test]
fn every_key_has_a_variable_of_its_own() {
    let mut names: Vec<_> = KEYS.iter().map(Key::variable).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), KEYS.len());
    assert!(names.contains(&"SEGUE_TOPICS__CHANGELOG_DELETE_RETENTION".to_owned()));
}

#[test]
fn the_view_lies_in_the_data_unless_somebody_says_where() {
    let view = |yaml: &str| {
        let config = load(yaml, &[]).expect("a configuration");
        (config.view_path.display().to_string(), config.view_keep)
    };
    assert_eq!(view(""), ("./data/view".to_owned(), None));
    assert_eq!(view("data: /d\n"), ("/d/view".to_owned(), None));
    let said = "data: /d\nview: { path: /v, keep: 30d }\n";
    assert_eq!(view(said), ("/v".to_owned(), Some(Span::hours(30 * 24))));
    let lines = ["segue.yaml:1:15: `view.keep`: `soon` is not a duration; write such as 200ms, \
                  10s, 1h30m, 7d or 2w"];
    refused("view: { keep: soon }\n", &[], &lines);
}

#[test]
fn the_api_is_open_to_others_only_with_tokens() {
    let local = Some("127.0.0.1:8900".parse().expect("an address"));
    let (tokens, requests_max, tls, oidc) = (None, 100, None, None);
    let api = Listening { listen: local, tokens, requests_max, tls, oidc };
    assert_eq!(Config::default().api, api);
    assert_eq!(load("api: { listen: '' }", &[]).expect("a configuration").api.listen, None);
    assert!(load("api: { listen: '[::1]:8900' }", &[]).is_ok(), "this machine alone reaches it");
    let open = |address: &str| {
        format!(
            "SEGUE_API__LISTEN: `api.listen` is {address}, which others can reach; needs \
             `api.auth.tokens`, a file with a line of `segue token new` for each who may ask"
        )
    };
    for address in ["0.0.0.0:8900", "10.0.0.7:80", "[::]:8900"] {
        let listen = ("SEGUE_API__LISTEN", address);
        refused("", &[listen], &[&open(address)]);
        refused("api: { auth: { tokens: '' } }", &[listen], &[&open(address)]);
        let here = format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
        let config = load("", &[listen, ("SEGUE_API__AUTH__TOKENS", &here)]);
        assert_eq!(config.expect("a configuration").api.tokens, Some(here.into()));
    }
    refused(
        "api: { listen: here }",
        &[],
        &["segue.yaml:1:16: `api.listen`: `here` is no address; write such as 127.0.0.1:8900 or \
           [::1]:8900"],
    );
}

#[test]
fn what_the_command_line_reads_from_the_environment_is_no_setting() {
    let variables = [
        ("SEGUE_SERVER", "http://a:1"),
        ("SEGUE_TOKEN", "segue_x"),
        ("SEGUE_CONTEXT", "a"),
        ("SEGUE_CA_FILE", "a.pem"),
    ];
    assert_eq!(load("", &variables), Ok(Config::default()));
}

#[test]
fn a_certificate_and_its_key_go_together() {
    let here = format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
    let certificate = ("SEGUE_API__TLS__CERTIFICATE", here.as_str());
    let words = "SEGUE_API__TLS__CERTIFICATE: `api.tls.certificate` needs `api.tls.key` beside it";
    refused("", &[certificate], &[words]);
    let key = ("SEGUE_API__TLS__KEY", here.as_str());
    assert!(load("", &[certificate, key]).expect("a configuration").api.tls.is_some());
}

#[test]
fn an_openid_provider_says_for_whom_and_what_they_may_do() {
    let issuer = "api: { auth: { oidc: { issuer: 'https://id.example.org/', ";
    let whole = format!("{issuer}audience: segue, roles: {{ ops: operator }} }} }} }}");
    let oidc = load(&whole, &[]).expect("a configuration").api.oidc.expect("a provider");
    assert_eq!((oidc.issuer.as_str(), oidc.name_claim.as_str()), ("https://id.example.org", "sub"));
    assert_eq!(oidc.roles["ops"], "operator");
    for wrong in ["} } }", "audience: a } } }", "audience: a, roles: { ops: boss } } } }"] {
        assert!(load(&format!("{issuer}{wrong}"), &[]).is_err(), "{wrong}");
    }
}
