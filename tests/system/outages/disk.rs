use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::cluster::Cluster;
use super::drill::Drill;
use crate::cast::Cast;

/// How long the disk is in the way: many checkpoints are due meanwhile.
const BAD: Duration = Duration::from_secs(8);
const BACK_MAX: Duration = Duration::from_secs(10);
const RATE: f64 = 50.0;
/// What an engine that ends for its disk must say.
const WORDS: [&str; 2] = ["No space left on device", "Read-only file system"];

/// A small disk of an engine's own; mounting one takes root.
struct Disk {
    at: PathBuf,
    /// The disk's content, where it must be a real one.
    image: Option<TempDir>,
}

impl Disk {
    /// A disk that can be filled.
    fn small(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let disk = Self { at: at.to_owned(), image: None };
        let mounted = run("mount", &["-t", "tmpfs", "-o", "size=16m", "tmpfs"], Some(at));
        mounted.then_some(disk)
    }

    /// A disk that can break down under files that are open.
    fn fragile(at: &Path) -> Option<Self> {
        fs::create_dir_all(at).expect("a folder");
        let image = TempDir::with_prefix("segue-disk.").expect("a folder");
        let file = image.path().join("image");
        File::create(&file).and_then(|f| f.set_len(64 << 20)).expect("a file");
        let made = run("mkfs.ext4", &["-q", "-F"], Some(&file));
        let disk = Self { at: at.to_owned(), image: Some(image) };
        (made && disk.mount()).then_some(disk)
    }

    fn mount(&self) -> bool {
        let image = self.image.as_ref().expect("it has one").path().join("image");
        let image = image.display().to_string();
        run("mount", &["-o", "loop,errors=remount-ro", &image], Some(&self.at))
    }

    fn fill(&self) {
        let mut file = File::create(self.at.join("filler")).expect("a file");
        // Ends with the error that the engine will meet.
        while file.write_all(&[1; 4096]).is_ok() {}
    }

    fn clear(&self) {
        fs::remove_file(self.at.join("filler")).expect("it was written");
    }

    /// What the kernel does to a disk whose structure is damaged.
    fn break_down(&self) {
        assert!(run("mount", &["-o", "remount,abort"], Some(&self.at)), "it is mounted");
        // The first change that cannot be kept makes it read-only.
        let _ = fs::write(self.at.join("last"), "x");
    }

    /// Takes it away, for nobody uses it any more, and brings it back in order.
    fn mend(&self) {
        assert!(run("umount", &[], Some(&self.at)), "nobody uses it");
        let image = self.image.as_ref().expect("it has one").path().join("image");
        // Answers 1 for what it has mended.
        run("fsck.ext4", &["-y"], Some(&image));
        assert!(self.mount(), "it is mended");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &["-l"], Some(&self.at));
    }
}

/// Runs a program of the system; answers whether it went well.
fn run(program: &str, arguments: &[&str], last: Option<&Path>) -> bool {
    let output = Command::new(program).args(arguments).args(last).output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            if !said.is_empty() {
                println!("{program}: {said}");
            }
            output.status.success()
        }
        Err(error) => {
            println!("{program}: {error}");
            false
        }
    }
}

/// While its disk is bad, an engine goes on without it, or ends and says why; it does not try in
/// vain what it cannot do.
fn endure(drill: &mut Drill) {
    let before = drill.outcome.died.len();
    let works = drill.works_for(BAD);
    let ended = drill.outcome.died.len() > before;
    forgive(drill);
    if !works && !ended {
        let words = "with a bad disk the engine neither works nor ends".to_owned();
        drill.outcome.complaints.push(words);
    }
}

/// An engine may end for its disk, if that is what it says; answers how often one did.
fn forgive(drill: &mut Drill) -> usize {
    let before = drill.outcome.died.len();
    drill.outcome.died.retain(|words| !WORDS.iter().any(|w| words.contains(w)));
    before - drill.outcome.died.len()
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn a_full_disk_loses_nothing() {
    let mut drill = Drill::on(Cluster::start(1), "full disk", Cast::orders, 141);
    let Some(disk) = Disk::small(&drill.world.data("a")) else {
        println!("not tested: a disk of its own can only be mounted by root");
        return;
    };
    drill.begin(&["a"], RATE);
    disk.fill();
    endure(&mut drill);
    disk.clear();
    drill.measure();
    // One that was at it when the disk became well may end yet; the next one has no reason to.
    let late = forgive(&mut drill);
    assert!(late <= 1, "with a good disk engines ended {late} times for a bad one");
    drill.work();
    drill.close().check(BACK_MAX);
}

#[test]
#[ignore = "needs a real Kafka: tests/run starts some"]
fn a_disk_that_becomes_read_only_loses_nothing() {
    let mut drill = Drill::on(Cluster::start(1), "read-only disk", Cast::orders, 142);
    let Some(disk) = Disk::fragile(&drill.world.data("a")) else {
        println!("not tested: a disk of its own can only be mounted by root");
        return;
    };
    drill.begin(&["a"], RATE);
    disk.break_down();
    endure(&mut drill);
    // Whoever mends a disk stops what uses it, which may have ended already.
    drill.take("a").stop();
    disk.mend();
    drill.start(&["a"]);
    drill.measure();
    drill.work();
    drill.close().check(BACK_MAX);
}
