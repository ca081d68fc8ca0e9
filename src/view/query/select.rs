//! What a filter says, in SQL.

use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use super::instances::listed;
use super::{every_saga, rows, word};
use crate::expression::Relation;
use crate::message::{SagaName, Timestamp};
use crate::status::SearchedValue;
use crate::view::{Error, FieldTest, Filter};

/// So many instances that a prefix or a test of a field finds are sorted; of more the list is
/// looked through.
const FOUND_MAX: i64 = 5_000;
/// So many instances at a state are looked through one by one, whatever else is asked of them.
const AT_STATE_MAX: i64 = 5_000;

/// What every row of a page fulfils, over the columns of `instances`; the states apart.
pub(super) struct Select {
    conditions: Vec<String>,
    values: Vec<Value>,
    /// Whether few instances are named one by one.
    pub names_few: bool,
}

impl Select {
    /// None if nothing can fulfil it.
    pub fn of(connection: &Connection, filter: &Filter) -> Result<Option<Self>, Error> {
        let mut select = Self { conditions: Vec::new(), values: Vec::new(), names_few: false };
        let mut saga = None;
        if let Some(name) = &filter.saga {
            let Some(known) = word(connection, name.as_str())? else { return Ok(None) };
            saga = Some(known);
            select.add("saga = ?", [known]);
        } else if let Some(lock) = word(connection, SagaName::lock().as_str())? {
            select.add("saga <> ?", [lock]);
        }
        if let Some(version) = filter.version {
            select.add("version = ?", [i64::from(version.0)]);
        }
        if let Some(step) = &filter.step {
            let Some(known) = word(connection, step)? else { return Ok(None) };
            select.add("step = ?", [known]);
        }
        if let Some(error) = filter.error {
            select.add("error = ?", [error.0.cast_signed()]);
        }
        if let Some(Timestamp(from)) = filter.started_from {
            select.add("started >= ?", [from]);
        }
        if let Some(Timestamp(before)) = filter.started_before {
            select.add("started < ?", [before]);
        }
        if let Some(prefix) = filter.key_prefix.as_deref().filter(|prefix| !prefix.is_empty()) {
            select.prefixed(connection, saga, prefix)?;
        }
        for test in &filter.fields {
            let Some(field) = word(connection, &test.field)? else { return Ok(None) };
            select.tested(connection, field, test)?;
        }
        Ok(Some(select))
    }

    /// Adds a condition with its values.
    pub fn add<V: Into<Value>>(
        &mut self,
        condition: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) {
        self.conditions.push(condition.into());
        self.values.extend(values.into_iter().map(Into::into));
    }

    /// All of it, with the instances at one state or at any.
    pub fn at(
        &self,
        connection: &Connection,
        state: Option<i64>,
    ) -> Result<(String, Vec<Value>), Error> {
        let mut conditions = self.conditions.clone();
        let mut values = self.values.clone();
        if let Some(state) = state {
            if is_rare(connection, &[state])? {
                // A plus keeps SQLite from the index of the column: that of the states is better.
                for condition in &mut conditions {
                    if ["saga ", "version ", "step "].iter().any(|name| condition.starts_with(name))
                    {
                        condition.insert(0, '+');
                    }
                }
            }
            conditions.push("state = ?".to_owned());
            values.push(Value::from(state));
        }
        let all = if conditions.is_empty() { "1".to_owned() } else { conditions.join(" AND ") };
        Ok((all, values))
    }

    /// Few keys with a prefix are found by their index and sorted; of many the next ones are soon
    /// met in the order of the list.
    fn prefixed(
        &mut self,
        connection: &Connection,
        saga: Option<i64>,
        prefix: &str,
    ) -> Result<(), Error> {
        let sagas = match saga {
            Some(saga) => vec![saga],
            None => every_saga(connection)?,
        };
        let mut ids: Vec<i64> = Vec::new();
        let keyed = "SELECT id FROM instances WHERE saga = ?1 AND key >= ?2 AND key < ?3 LIMIT ?4";
        let mut keyed = connection.prepare(keyed)?;
        for saga in sagas {
            let most = FOUND_MAX + 1 - rows(ids.len());
            let found = keyed.query_map(params![saga, prefix, end(prefix), most], |r| r.get(0))?;
            for id in found {
                ids.push(id?);
            }
        }
        if rows(ids.len()) > FOUND_MAX {
            self.add("key >= ? AND key < ?", [prefix.to_owned(), end(prefix)]);
        } else {
            self.name(&ids);
        }
        Ok(())
    }

    /// The same of those whose field is like that.
    fn tested(
        &mut self,
        connection: &Connection,
        field: i64,
        test: &FieldTest,
    ) -> Result<(), Error> {
        let ranges = ranges(test);
        let mut ids: Vec<i64> = Vec::new();
        for (condition, values) in &ranges {
            let select = format!(
                "SELECT instance FROM searched WHERE field = ? AND {condition} LIMIT {}",
                FOUND_MAX + 1 - rows(ids.len())
            );
            let values = [Value::from(field)].into_iter().chain(values.iter().cloned());
            let mut select = connection.prepare(&select)?;
            let found = select.query_map(params_from_iter(values), |row| row.get(0))?;
            for id in found {
                ids.push(id?);
            }
        }
        if rows(ids.len()) > FOUND_MAX {
            let any: Vec<_> = ranges.iter().map(|(condition, _)| condition.as_str()).collect();
            let condition = format!(
                "EXISTS (SELECT 1 FROM searched WHERE searched.instance = instances.id
                 AND searched.field = ? AND ({}))",
                any.join(" OR ")
            );
            let values = ranges.into_iter().flat_map(|(_, values)| values);
            self.add(condition, [Value::from(field)].into_iter().chain(values));
        } else {
            self.name(&ids);
        }
        Ok(())
    }

    fn name(&mut self, ids: &[i64]) {
        self.add(format!("id IN ({})", listed(ids)), [Value::Null; 0]);
        self.names_few = true;
    }
}

/// Which parts of the index of a field hold what fulfils a test.
fn ranges(test: &FieldTest) -> Vec<(String, Vec<Value>)> {
    let (text, number) = SearchedValue::meant(&test.value);
    let of_text = |sign: &str| {
        let condition = format!("searched.rank = '' AND searched.text {sign} ?");
        (condition, vec![Value::from(text.text.clone())])
    };
    let of_number = |sign: &str, number: &SearchedValue| {
        let condition = format!("searched.rank > '' AND searched.rank {sign} ?");
        (condition, vec![Value::from(number.rank.clone())])
    };
    let sign = match test.relation {
        Relation::Equal => {
            let same = number.as_ref().map(|number| of_number("=", number));
            return [of_text("=")].into_iter().chain(same).collect();
        }
        Relation::Unequal => {
            let others = match &number {
                Some(number) => vec![of_number("<", number), of_number(">", number)],
                None => vec![("searched.rank > ''".to_owned(), Vec::new())],
            };
            return [of_text("<"), of_text(">")].into_iter().chain(others).collect();
        }
        Relation::Less => "<",
        Relation::AtMost => "<=",
        Relation::Greater => ">",
        Relation::AtLeast => ">=",
    };
    vec![number.map_or_else(|| of_text(sign), |number| of_number(sign, &number))]
}

/// Whether there are few instances at some states.
pub(super) fn is_rare(connection: &Connection, states: &[i64]) -> Result<bool, Error> {
    let select = "SELECT ifnull(sum(instances), 0) FROM counts WHERE state = ?1";
    let mut select = connection.prepare(select)?;
    let mut all = 0;
    for state in states {
        all += select.query_row([state], |row| row.get::<_, i64>(0))?;
    }
    Ok(all <= AT_STATE_MAX)
}

/// The first text behind all that begin with a prefix.
fn end(prefix: &str) -> String {
    format!("{prefix}{}", char::MAX)
}
