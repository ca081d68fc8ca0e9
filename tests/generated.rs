//! The committed protobuf code is what `proto/` says; `UPDATE=1 cargo test --test generated` writes it anew.

use std::path::Path;

#[test]
fn generated_code_is_what_proto_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let committed = root.join("src/format/generated.rs");
    let files = protox::compile([root.join("proto/segue.proto")], [root.join("proto")])
        .expect("proto/segue.proto compiles");
    let out = tempfile::tempdir().expect("a temporary folder");
    prost_build::Config::new().out_dir(out.path()).compile_fds(files).expect("prost generates");
    let fresh = std::fs::read_to_string(out.path().join("segue.v1.rs")).expect("the output");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&committed, &fresh).expect("src/format/ is writable");
    }
    let kept = std::fs::read_to_string(&committed).unwrap_or_default();
    assert!(
        kept == fresh,
        "src/format/generated.rs is stale; run `UPDATE=1 cargo test --test generated`"
    );
}
