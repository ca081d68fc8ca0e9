-- The view's index. All of it is made of the engine's own topics and may be deleted at any time.
-- Times are milliseconds since 1970. A row is narrow, for there may be millions: what a person is
-- told of one instance is made when somebody asks, of the changelog record that its row names.

-- Whose index it is: `format`, `app`, `cluster`, and `written`, when it last was.
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- How far each partition was read; in the same transaction as what was made of it.
CREATE TABLE positions (
    topic TEXT NOT NULL,
    partition INTEGER NOT NULL,
    next INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)
) WITHOUT ROWID;

-- Names of sagas and steps, which rows repeat by number.
CREATE TABLE words (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);

-- The reason of each group of errors, in the words of the first of them.
CREATE TABLE errors (error INTEGER PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE instances (
    id INTEGER PRIMARY KEY,
    saga INTEGER NOT NULL,
    key TEXT NOT NULL,
    -- A number of `LifeState`.
    state INTEGER NOT NULL,
    version INTEGER,
    -- The step that is stuck, else the first one under way, else the one that failed.
    step INTEGER,
    error INTEGER,
    started INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    ended INTEGER,
    -- When its next timer strikes; nothing once it has ended.
    due INTEGER,
    -- The changelog record that it was read from.
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL,
    -- When it was forgotten, if it is still listed.
    forgotten INTEGER,
    -- Where its history lies: the first offset, then the differences, each as a varint.
    history BLOB,
    -- A number that differs when what stands of it in `searched` does; nothing if nothing does.
    searched INTEGER
);
CREATE UNIQUE INDEX instances_key ON instances (saga, key);
-- A list is in the order of its starts, which does not change: a page neither repeats a row nor
-- leaves one out, and a transition touches only the indexes of what it has changed.
CREATE INDEX instances_started ON instances (started);
CREATE INDEX instances_state ON instances (state, started);
CREATE INDEX instances_version ON instances (saga, version, started);
CREATE INDEX instances_saga ON instances (saga, started);
CREATE INDEX instances_step ON instances (step, started) WHERE step IS NOT NULL;
CREATE INDEX instances_error ON instances (error, started) WHERE error IS NOT NULL;
CREATE INDEX instances_due ON instances (due) WHERE due IS NOT NULL;
CREATE INDEX instances_forgotten ON instances (forgotten) WHERE forgotten IS NOT NULL;

-- The fields that definitions name under `search`, by the number of their path. A number's `rank`
-- is a text in the order of the numbers; that of all else is empty.
CREATE TABLE searched (
    instance INTEGER NOT NULL,
    field INTEGER NOT NULL,
    rank TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (instance, field)
) WITHOUT ROWID;
CREATE INDEX searched_value ON searched (field, rank, text, instance);

-- How many instances of a saga are at what.
CREATE TABLE counts (
    saga INTEGER NOT NULL,
    state INTEGER NOT NULL,
    instances INTEGER NOT NULL,
    PRIMARY KEY (saga, state)
) WITHOUT ROWID;

-- How many completed instances of a saga took how long; a bucket is a sixteenth of a power of two.
CREATE TABLE durations (
    saga INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    instances INTEGER NOT NULL,
    PRIMARY KEY (saga, bucket)
) WITHOUT ROWID;

-- Compensations that are not answered yet.
CREATE TABLE owed (
    instance INTEGER NOT NULL,
    receiver TEXT NOT NULL,
    step TEXT NOT NULL,
    since INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due INTEGER,
    parked INTEGER NOT NULL
);
CREATE INDEX owed_instance ON owed (instance);
CREATE INDEX owed_since ON owed (since);

-- Questions that nobody has answered; `choices` is a JSON list.
CREATE TABLE questions (
    instance INTEGER NOT NULL,
    who TEXT NOT NULL,
    step TEXT NOT NULL,
    choices TEXT NOT NULL,
    since INTEGER,
    until INTEGER
);
CREATE INDEX questions_instance ON questions (instance);

CREATE TABLE dead_letters (
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL,
    at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    origin TEXT,
    instance TEXT,
    event_type TEXT,
    PRIMARY KEY (partition, place)
) WITHOUT ROWID;
CREATE INDEX dead_letters_at ON dead_letters (at, partition, place);

-- What people have done with them; `how` is a number of `Disposed`. It may be read before them.
CREATE TABLE disposals (
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL,
    how INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    why TEXT NOT NULL,
    act TEXT NOT NULL,
    PRIMARY KEY (partition, place)
) WITHOUT ROWID;

CREATE INDEX disposals_act ON disposals (act);

-- Acts on many instances; `written` is how many of them were written.
CREATE TABLE bulks (
    id TEXT PRIMARY KEY,
    partition INTEGER NOT NULL,
    place INTEGER NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    why TEXT NOT NULL,
    verb TEXT NOT NULL,
    filter TEXT NOT NULL,
    members INTEGER NOT NULL,
    written INTEGER NOT NULL,
    ended TEXT,
    ended_at INTEGER,
    ended_why TEXT
) WITHOUT ROWID;
CREATE INDEX bulks_at ON bulks (at);
