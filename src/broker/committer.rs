use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::Producer;
use rdkafka::topic_partition_list::TopicPartitionList;
use rdkafka::util::Timeout;

use super::faults::passing;
use super::hanging::LookBack;
use super::ledger::Ledger;
use super::progress::{CommitStage, Progress};
use crate::message::{Offset, Shard};
use crate::runtime::{Batch, Lost};

/// How long librdkafka waits for an answer before it asks again: an end of a transaction that took
/// as long may have been sent twice, and the first may still arrive (R1). So may one whose
/// connection was lost meanwhile.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(60);
/// The client needs as long at least to connect again: `reconnect.backoff.ms` less its jitter.
const RECONNECTED_MIN: Duration = Duration::from_millis(35);
/// How long it is waited for the word of a connection that may have been lost.
const TOLD_WITHIN: Duration = Duration::from_millis(20);
/// How often it is looked whether a commit was given up.
const LOOK: Duration = Duration::from_millis(250);
const ABORT_WAIT: Duration = Duration::from_secs(5);
/// How long it is waited for the error of a record that explains why a call was refused.
const EXPLAINED_WITHIN: Duration = Duration::from_millis(200);

/// Commits batches on a thread of its own: the shard loop takes the next records meanwhile.
///
/// ```text
/// exactly once    begin ─ changelog ┬ acknowledged ─ inbox positions ┬ flush ─ commit
///                                   └ messages ─ history ────────────┘
/// at least once   messages ─ history ─ flush ─ changelog, the position last ─ flush
/// ```
pub(super) struct Committer {
    jobs: Option<Sender<Job>>,
    answers: Receiver<Answer>,
    /// What was received and not yet taken.
    answer: Option<Answer>,
    thread: Option<JoinHandle<()>>,
    under_way: Arc<UnderWay>,
    progress: Progress,
}

/// A batch and how it is committed.
pub(super) struct Job {
    pub ledger: Arc<Ledger>,
    pub batch: Batch,
    /// The inbox positions and our place in the group; none at least once.
    pub transaction: Option<(TopicPartitionList, ConsumerGroupMetadata)>,
    /// Looks at the commit before it.
    pub back: LookBack,
    /// How long acknowledgements may take.
    pub limit: Duration,
}

/// How a commit ended.
pub(super) enum Answer {
    /// The changelog offset behind the batch for each shard in it, and whether it may still be
    /// answered twice: the next one needs a new producer (R1).
    Committed { behind: BTreeMap<Shard, Offset>, doubtful: bool },
    /// A transactional call failed.
    Refused { call: Call, error: KafkaError },
    /// Something else did.
    Lost(Lost),
}

/// The calls of a transaction that the cluster may refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Begin,
    AddPositions,
    Commit,
}

impl Call {
    pub fn doing(self) -> &'static str {
        match self {
            Self::Begin => "beginning a transaction",
            Self::AddPositions => "adding the inbox positions to a transaction",
            Self::Commit => "committing a transaction",
        }
    }
}

impl Committer {
    pub fn start(progress: &Progress, under_way: &Arc<UnderWay>) -> std::io::Result<Self> {
        let (jobs, taken) = channel::<Job>();
        let (tell, answers) = channel();
        let (watched, ended) = (progress.clone(), Arc::clone(under_way));
        let work = move || {
            for job in taken {
                let answer = watched.during(|| job.run(&watched));
                // Nobody listens to the last one when the pipeline is dropped.
                tell.send(answer).ok();
                ended.set(false);
            }
        };
        let thread = thread::Builder::new().name("committer".to_owned()).spawn(work)?;
        let (under_way, progress) = (Arc::clone(under_way), progress.clone());
        let (jobs, thread) = (Some(jobs), Some(thread));
        Ok(Self { jobs, answers, answer: None, thread, under_way, progress })
    }

    /// Begins; the one before must have been concluded.
    pub fn begin(&self, job: Job) -> Result<(), Lost> {
        self.under_way.set(true);
        let sent = self.jobs.as_ref().map(|jobs| jobs.send(job).is_ok());
        if sent == Some(true) { Ok(()) } else { Err(ended()) }
    }

    /// Whether a commit was begun and has not ended.
    pub fn is_under_way(&self) -> bool {
        *self.under_way.is()
    }

    pub fn is_concluded(&mut self, wait: Duration) -> bool {
        if self.answer.is_some() {
            return true;
        }
        match self.answers.recv_timeout(wait) {
            Ok(answer) => {
                self.answer = Some(answer);
                true
            }
            Err(RecvTimeoutError::Timeout) => false,
            // Whoever concludes hears of it.
            Err(RecvTimeoutError::Disconnected) => true,
        }
    }

    /// Waits for the answer, unless the watchdog gives the commit up.
    pub fn conclude(&mut self) -> Result<Answer, Lost> {
        loop {
            if let Some(answer) = self.answer.take() {
                return Ok(answer);
            }
            match self.answers.recv_timeout(LOOK) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                Err(RecvTimeoutError::Timeout) if self.progress.is_given_up() => {
                    return Err(passing("a commit that made no progress was given up".to_owned()));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

impl Drop for Committer {
    fn drop(&mut self) {
        // Whoever restores next must not be overtaken by what is still being written.
        self.jobs = None;
        while let Some(thread) = self.thread.take_if(|_| !self.progress.is_given_up()) {
            if thread.is_finished() {
                thread.join().ok();
            } else {
                self.thread = Some(thread);
                thread::sleep(Duration::from_millis(1));
            }
        }
        // A commit that was given up hangs in the client; the next producer of the same name
        // fences it, so it cannot take effect any more.
    }
}

fn ended() -> Lost {
    passing("the thread that commits has ended".to_owned())
}

impl Job {
    fn run(mut self, progress: &Progress) -> Answer {
        let done = match self.transaction.take() {
            Some((offsets, generation)) => self.exactly_once(&offsets, &generation, progress),
            None => self.at_least_once().map(|()| false),
        };
        match done {
            Err(answer) => answer,
            Ok(doubtful) => {
                let mut behind = self.ledger.behind();
                behind.retain(|shard, _| self.batch.shards.contains_key(shard));
                Answer::Committed { behind, doubtful }
            }
        }
    }

    /// Answers whether the producer may not be used again.
    fn exactly_once(
        &mut self,
        offsets: &TopicPartitionList,
        generation: &ConsumerGroupMetadata,
        progress: &Progress,
    ) -> Result<bool, Answer> {
        let producer = &self.ledger.producer;
        refused(Call::Begin, producer.begin_transaction())?;
        let sent = self.send_changelog().and_then(|()| self.send_outwards()).and_then(|()| {
            // The changelog stands in its log before the group takes the positions: whoever is
            // given a shard later reads to the log's end, so nothing of ours comes behind it.
            let settled =
                progress.at(CommitStage::Writing, || self.ledger.settle_changelog(self.limit));
            settled.map_err(Answer::Lost)?;
            let added = progress.at(CommitStage::AddingPositions, || {
                producer.send_offsets_to_transaction(offsets, generation, self.limit)
            });
            self.accepted(Call::AddPositions, added)?;
            let settled = progress.at(CommitStage::Sending, || self.ledger.settle(self.limit));
            settled.map_err(Answer::Lost)
        });
        let sent = sent.and_then(|()| {
            if !self.ledger.is_disrupted(Duration::ZERO) {
                return Ok(());
            }
            // Its end would decide of what hangs of the one before, but only where it writes.
            self.back.until_known().map_err(Answer::Lost)
        });
        if let Err(answer) = sent {
            self.ledger.abort(ABORT_WAIT);
            return Err(answer);
        }
        let start = Instant::now();
        let ended =
            progress.at(CommitStage::Ending, || producer.commit_transaction(Timeout::Never));
        self.accepted(Call::Commit, ended)?;
        let took = start.elapsed();
        // What the client has to tell of its connections comes by another thread.
        let patience = if took >= RECONNECTED_MIN { TOLD_WITHIN } else { Duration::ZERO };
        Ok(took >= SOCKET_TIMEOUT || self.ledger.is_disrupted(patience))
    }

    /// Takes the answer to a transactional call. A record that was refused fails the transaction,
    /// and its own error says more than that of the call after it.
    fn accepted(&self, call: Call, result: KafkaResult<()>) -> Result<(), Answer> {
        if result.is_err()
            && let Some(lost) = self.ledger.failure(EXPLAINED_WITHIN)
        {
            return Err(Answer::Lost(lost));
        }
        refused(call, result)
    }

    fn at_least_once(&self) -> Result<(), Answer> {
        // History goes with the messages: a step that the changelog knows is never missing in it.
        self.send_outwards()?;
        self.ledger.settle(self.limit).map_err(Answer::Lost)?;
        self.send_changelog()?;
        self.ledger.settle(self.limit).map_err(Answer::Lost)
    }

    fn send_outwards(&self) -> Result<(), Answer> {
        let (ledger, batch) = (&self.ledger, &self.batch);
        let sent = batch.messages.iter().try_for_each(|message| ledger.message(message));
        sent.and_then(|()| batch.dead_letters.iter().try_for_each(|l| ledger.dead_letter(l)))
            .and_then(|()| batch.letters.iter().try_for_each(|l| ledger.letter(l)))
            .and_then(|()| {
                let mut records =
                    batch.shards.iter().flat_map(|(s, part)| part.history.iter().map(|r| (*s, r)));
                records.try_for_each(|(shard, record)| ledger.history(shard, record))
            })
            .map_err(Answer::Lost)
    }

    fn send_changelog(&self) -> Result<(), Answer> {
        for (shard, part) in &self.batch.shards {
            for (key, value) in &part.changelog {
                let sent = self.ledger.changelog(*shard, key, value.as_deref());
                sent.map_err(Answer::Lost)?;
            }
        }
        Ok(())
    }
}

fn refused(call: Call, result: KafkaResult<()>) -> Result<(), Answer> {
    result.map_err(|error| Answer::Refused { call, error })
}

/// Whether a commit is under way, for those who must wait for its end.
#[derive(Debug, Default)]
pub(super) struct UnderWay {
    is: Mutex<bool>,
    changed: Condvar,
    progress: Progress,
}

impl UnderWay {
    /// None is under way; one that is given up will count as ended.
    pub fn new(progress: &Progress) -> Self {
        Self { progress: progress.clone(), ..Self::default() }
    }

    fn set(&self, is: bool) {
        *self.is() = is;
        self.changed.notify_all();
    }

    /// The group gives shards to the pipeline whose commits these are, or takes some.
    pub fn move_shards(&self) {
        self.progress.move_shards();
    }

    /// Waits until none is, or for `limit`.
    pub fn wait(&self, limit: Duration) {
        let begun = Instant::now();
        loop {
            let rest = limit.saturating_sub(begun.elapsed()).min(LOOK);
            let waited = self.changed.wait_timeout_while(self.is(), rest, |is| *is);
            let (is, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if !*is || begun.elapsed() >= limit || self.progress.is_given_up() {
                return;
            }
        }
    }

    fn is(&self) -> MutexGuard<'_, bool> {
        self.is.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_for_a_commit_sees_its_end() {
        let under_way = Arc::new(UnderWay::default());
        under_way.wait(Duration::MAX);
        under_way.set(true);
        under_way.wait(Duration::ZERO);
        assert!(*under_way.is(), "a limit ends the waiting, not the commit");
        let other = Arc::clone(&under_way);
        let waiting = thread::spawn(move || other.wait(Duration::MAX));
        under_way.set(false);
        waiting.join().expect("it saw the end");
    }
}
