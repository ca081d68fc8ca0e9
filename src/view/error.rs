use crate::broker;

/// What can go wrong in the view.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The index cannot be read or written; a full disk is the usual reason. It may be deleted at
    /// any time: it is built anew from Kafka.
    #[error("the view's index: {0}")]
    Index(String),
    /// The folder of the index cannot be made or written; see `view.path`.
    #[error("the view's folder: {0}")]
    Folder(#[from] std::io::Error),
    /// The index is damaged: it is thrown away and built anew from Kafka. Ask again soon.
    #[error("the view's index is damaged and is built anew: {0}")]
    Damaged(String),
    /// Another view uses the folder; give each a `view.path` of its own.
    #[error("another view uses {0}; give each its own `view.path`")]
    Taken(String),
    /// A cursor was not made by this view; begin the list anew.
    #[error("`{0}` is no cursor of this list; leave it out to begin anew")]
    Cursor(String),
    /// What a field should be is not said in such words.
    #[error("`{0}` is no test of a field; write such as `data.total>=100` or `data.customer=anna`")]
    Test(String),
    /// No list has such an order.
    #[error(
        "`{0}` is no order; write newest, oldest, or a field such as `data.total`, `-data.total`"
    )]
    Sort(String),
    /// What stands on a topic cannot be read back; try again when the cluster answers.
    #[error(transparent)]
    Broker(#[from] broker::Error),
    /// The record is not there any more: it was compacted or its time was up. If it was an
    /// instance's, the view is behind: ask again.
    #[error("{topic}[{partition}]@{offset} is not there any more")]
    Gone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset.
        offset: i64,
    },
    /// What stands there is no value of this build; most likely a newer segue wrote it.
    #[error("{place}: {reason}")]
    Foreign {
        /// Where.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
}
