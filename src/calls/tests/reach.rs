use serde_json::json;

use super::*;

fn allowed(public: &[&str]) -> Settings {
    let mut settings = Settings::default();
    settings.allow.public = public.iter().map(|h| h.parse().expect("a host")).collect();
    settings
}

async fn refused(settings: Settings, names: &Arc<Names>, url: &str) -> String {
    let mut queue = queue_with(settings, Arc::clone(names));
    reason(made(&mut queue, get(url)).await)
}

#[tokio::test]
async fn nobody_is_called_by_default() {
    let server = Server::answering(OK).await;
    let names = Arc::new(Names::of(&[("a.example", &[&["127.0.0.1"]])]));
    let port = server.port();
    for url in [server.url("/"), format!("http://a.example:{port}/")] {
        let reason = refused(Settings::default(), &names, &url).await;
        assert!(reason.contains("are not allowed; add the host to `calls.allow`"), "{reason}");
    }
    assert_eq!((server.connections(), names.asked("a.example")), (0, 0));
}

#[tokio::test]
async fn only_what_is_named_is_called() {
    let server = Server::answering(OK).await;
    let port = server.port();
    let names: Arc<Names> = Arc::default();
    for url in [
        format!("http://a.example:{port}/"),
        format!("http://a.example.b.example:{port}/"),
        format!("http://a.example@b.example:{port}/"),
        format!("http://b.example:{port}/a.example"),
        format!("http://b.example:{port}#a.example"),
        format!("http://b.example:{port}\\a.example/"),
        format!("//a.example:{port}/"),
        format!("ftp://a.example:{port}/"),
        "http://a.example:80:80/".to_owned(),
        "http://a.example\r\nhost: b/".to_owned(),
    ] {
        let reason = refused(allowed(&["a.example:81", "*.c.example"]), &names, &url).await;
        let words = ["are not allowed", "the URL cannot be used"];
        assert!(words.iter().any(|w| reason.contains(w)), "{url}: {reason}");
    }
    assert!(names.asked.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_called_unless_it_is_meant() {
    let server = Server::answering(OK).await;
    let host = format!("a.example:{}", server.port());
    let url = format!("http://{host}/");
    for (address, kind) in [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "loopback"),
        ("10.1.2.3", "private"),
        ("192.168.0.1", "private"),
        ("fd12::1", "private"),
        ("169.254.169.254", "link-local"),
        ("fe80::1", "link-local"),
        ("224.0.0.1", "multicast"),
        ("0.0.0.0", "unspecified"),
    ] {
        let names = Arc::new(Names::of(&[("a.example", &[&[address]])]));
        let reason = refused(allowed(&[&host]), &names, &url).await;
        let words = format!("a {kind} address");
        assert!(reason.contains(&words), "{address}: {reason}");
        let near = ["loopback", "private"].contains(&kind);
        assert_eq!(reason.contains("`calls.allow-private`"), near, "{reason}");
    }
    assert_eq!(server.connections(), 0);
    let names = Arc::new(Names::of(&[("a.example", &[&["127.0.0.1"]])]));
    let mut queue = queue_with(near(&[&host]), names);
    assert_eq!(answered(made(&mut queue, get(&url)).await), (200, json!({})));
}

#[tokio::test]
async fn addresses_that_are_never_called_are_not_called_by_exact_name_either() {
    for address in ["169.254.169.254", "0.0.0.0", "fe80::1", "255.255.255.255", "fd00:ec2::254"] {
        let names = Arc::new(Names::of(&[("a.example", &[&[address]])]));
        let reason = refused(near(&["a.example"]), &names, "http://a.example/").await;
        assert!(reason.contains("such addresses are never called"), "{reason}");
    }
    let reason =
        refused(near(&["169.254.169.254"]), &Arc::default(), "http://169.254.169.254/").await;
    assert!(reason.contains("link-local"), "{reason}");
}

#[tokio::test]
async fn addresses_written_in_the_url_are_checked_like_names() {
    let server = Server::answering(OK).await;
    let port = server.port();
    let names: Arc<Names> = Arc::default();
    let host = format!("127.0.0.1:{port}");
    let reason = refused(allowed(&[&host]), &names, &server.url("/")).await;
    assert!(reason.contains("a loopback address"), "{reason}");
    // Numbers that old resolvers take for addresses are names, and their answers are checked.
    let host = format!("2130706433:{port}");
    let names = Arc::new(Names::of(&[("2130706433", &[&["127.0.0.1"]])]));
    let reason = refused(allowed(&[&host]), &names, &format!("http://{host}/")).await;
    assert!(reason.contains("a loopback address"), "{reason}");
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_whose_address_changes_gains_nothing() {
    let server = Server::closing(OK).await;
    let host = format!("a.example:{}", server.port());
    let url = format!("http://{host}/");
    // One question for each connection, and the address of its answer is the one connected to.
    let answers: &[&[&str]] = &[&["127.0.0.1"], &["169.254.169.254"], &["127.0.0.1"]];
    let names = Arc::new(Names::of(&[("a.example", answers)]));
    let mut queue = queue_with(near(&[&host]), Arc::clone(&names));
    assert_eq!(answered(made(&mut queue, get(&url)).await).0, 200);
    assert_eq!(names.asked("a.example"), 1);
    let reason = reason(made(&mut queue, get(&url)).await);
    assert!(reason.contains("a link-local address"), "{reason}");
    assert_eq!((names.asked("a.example"), server.connections()), (2, 1));
    assert_eq!(answered(made(&mut queue, get(&url)).await).0, 200);
}

#[tokio::test]
async fn of_several_addresses_only_good_ones_are_tried_and_one_of_them_is_enough() {
    let server = Server::answering(OK).await;
    let host = format!("a.example:{}", server.port());
    // Nobody listens at the second; the first is never tried.
    let answers: &[&[&str]] = &[&["169.254.169.254", "127.0.0.2", "127.0.0.1"]];
    let names = Arc::new(Names::of(&[("a.example", answers)]));
    let mut queue = queue_with(near(&[&host]), names);
    assert_eq!(answered(made(&mut queue, get(&format!("http://{host}/"))).await).0, 200);
}

#[tokio::test]
async fn a_name_that_stands_for_nothing_is_said_so() {
    let names = Arc::new(Names::of(&[("empty.example", &[&[]])]));
    let settings = allowed(&["empty.example", "unknown.example"]);
    let reason = refused(settings.clone(), &names, "http://empty.example/").await;
    assert_eq!(reason, "empty.example:80 has no address: the name is not known");
    let reason = refused(settings, &names, "http://unknown.example/").await;
    assert_eq!(reason, "unknown.example:80 has no address: nobody knows it");
}
