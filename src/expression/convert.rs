use std::collections::BTreeMap;

use cel::common::traits::{Iterable, Iterator as CelIterator, Sizer};
use cel::common::types::{
    CelBool, CelDouble, CelDuration, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString,
    CelTimestamp, CelUInt, MAP_TYPE, Type,
};
use cel::common::value::{Builtin, BuiltinRef, Val};
use serde_json::{Map, Number, Value};

use crate::message::Timestamp;

/// Which parts of a value an expression reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    whole: bool,
    fields: BTreeMap<String, Parts>,
}

impl Parts {
    /// Adds what a path leads to.
    pub fn add(&mut self, path: &[String]) {
        match path.split_first() {
            None => self.whole = true,
            Some((first, rest)) => self.fields.entry(first.clone()).or_default().add(rest),
        }
    }
}

/// A JSON value as CEL sees it: integers are ints, other numbers doubles; only the parts that are
/// read are there.
pub(super) fn to_cel<'v>(value: &'v Value, parts: &Parts) -> Result<Box<dyn Val + 'v>, String> {
    match value {
        Value::Object(fields) if !parts.whole => {
            let read = parts.fields.iter().filter_map(|(name, parts)| {
                let (name, field) = fields.get_key_value(name)?;
                Some(to_cel(field, parts).map(|field| (name.as_str(), field)))
            });
            Ok(Box::new(Object::new(read.collect::<Result<Vec<_>, _>>()?)))
        }
        _ => whole(value),
    }
}

fn whole(value: &Value) -> Result<Box<dyn Val + '_>, String> {
    Ok(match value {
        Value::Null => Box::new(CelNull),
        Value::Bool(value) => Box::new(CelBool::from(*value)),
        Value::Number(value) => number(value)?,
        Value::String(text) => Box::new(CelString::from(text.as_str())),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(whole).collect::<Result<_, _>>()?;
            Box::new(CelList::from(items))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, field)| Ok((name.as_str(), whole(field)?)));
            Box::new(Object::new(fields.collect::<Result<Vec<_>, String>>()?))
        }
    })
}

fn number(number: &Number) -> Result<Box<dyn Val>, String> {
    if let Some(int) = number.as_i64() {
        return Ok(Box::new(CelInt::from(int)));
    }
    if let Some(uint) = number.as_u64() {
        return Ok(Box::new(CelUInt::from(uint)));
    }
    let text = number.as_str();
    let double = text.parse::<f64>().ok().filter(|d| d.is_finite());
    match double {
        Some(double) if !text.chars().all(|c| c.is_ascii_digit() || c == '-') => {
            Ok(Box::new(CelDouble::from(double)))
        }
        _ => Err(format!("{text} is too large to compute with; pass it on as it is")),
    }
}

/// The input's time as CEL sees it.
pub(super) fn timestamp(now: Timestamp) -> Result<Box<dyn Val>, String> {
    let moment = chrono::DateTime::from_timestamp_millis(now.0)
        .ok_or_else(|| format!("{now} is no time that can be computed with"))?;
    Ok(Box::new(CelTimestamp::from(moment.fixed_offset())))
}

/// An object that is walked in its own order, where CEL's own map has none: what an expression
/// gives must be the same on every machine.
#[derive(Debug, Clone)]
struct Object<'v> {
    map: CelMap<'v>,
    keys: Vec<CelString<'v>>,
}

impl<'v> Object<'v> {
    fn new(fields: Vec<(&'v str, Box<dyn Val + 'v>)>) -> Self {
        let keys = fields.iter().map(|(name, _)| CelString::from(*name)).collect();
        let map = fields
            .into_iter()
            .map(|(name, field)| (CelMapKey::String(CelString::from(name)), field));
        // CEL's map is made from nothing but an unordered one; `keys` keep the order.
        #[allow(clippy::disallowed_types)]
        let map: std::collections::HashMap<_, _> = map.collect();
        Self { map: CelMap::from(map), keys }
    }
}

impl Val for Object<'_> {
    fn get_type(&self) -> &Type {
        &MAP_TYPE
    }

    fn cel_type() -> &'static Type {
        &MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn cel::common::traits::Container> {
        self.map.as_container()
    }

    fn as_indexer<'b, 'w>(&'b self) -> Option<&'b (dyn cel::common::traits::Indexer + 'w)>
    where
        Self: 'w,
    {
        self.map.as_indexer()
    }

    fn as_iterable<'b, 'w>(&'b self) -> Option<&'b (dyn Iterable + 'w)>
    where
        Self: 'w,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        self.map.as_sizer()
    }

    fn equals(&self, other: &dyn Val) -> bool {
        self.map.equals(other)
    }

    fn clone_as_boxed<'w>(&self) -> Box<dyn Val + 'w>
    where
        Self: 'w,
    {
        Box::new(self.clone())
    }

    fn as_builtin<'b, 'w>(&'b self) -> BuiltinRef<'b, 'w>
    where
        Self: 'w,
    {
        BuiltinRef::Map(&self.map)
    }

    fn into_builtin<'w>(self: Box<Self>) -> Option<Builtin<'w>>
    where
        Self: 'w,
    {
        Some(Builtin::Map(self.map))
    }
}

impl Iterable for Object<'_> {
    fn iter<'b, 'w>(&'b self) -> Box<dyn CelIterator<'b, 'w> + 'b>
    where
        Self: 'w,
    {
        Box::new(Keys(self.keys.iter()))
    }
}

struct Keys<'b, 'v>(std::slice::Iter<'b, CelString<'v>>);

impl<'b, 'v: 'w, 'w> CelIterator<'b, 'w> for Keys<'b, 'v> {
    fn next(&mut self) -> Option<&'b (dyn Val + 'w)> {
        self.0.next().map(|key| key as &(dyn Val + 'w))
    }
}

/// What CEL computed, as JSON.
///
/// # Errors
/// When JSON has no such value; says what it is.
pub(super) fn to_json(value: &dyn Val) -> Result<Value, &'static str> {
    if let Some(value) = value.downcast_ref::<CelString<'_>>() {
        return Ok(Value::String(value.inner().to_owned()));
    }
    if let Some(value) = value.downcast_ref::<CelBool>() {
        return Ok(Value::Bool(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelInt>() {
        return Ok(Value::from(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelUInt>() {
        return Ok(Value::from(*value.inner()));
    }
    if let Some(value) = value.downcast_ref::<CelDouble>() {
        let number = Number::from_f64(*value.inner());
        return number.map(Value::Number).ok_or("no finite number");
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Value::Null);
    }
    if let Some(items) = value.downcast_ref::<CelList<'_>>() {
        let items = items.inner().iter().map(|item| to_json(item.as_ref()));
        return Ok(Value::Array(items.collect::<Result<_, _>>()?));
    }
    if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        return object(map);
    }
    if let Some(moment) = value.downcast_ref::<CelTimestamp>() {
        return Ok(Value::String(moment_text(moment.inner())));
    }
    if let Some(duration) = value.downcast_ref::<CelDuration>() {
        return Ok(Value::String(duration_text(*duration.inner())));
    }
    Err("neither text, number, list nor object")
}

/// An object in the order of its keys: CEL keeps no other.
fn object(map: &CelMap<'_>) -> Result<Value, &'static str> {
    let fields =
        map.inner().iter().map(|(key, field)| Ok((key_text(key), to_json(field.as_ref())?)));
    let mut fields = fields.collect::<Result<Vec<_>, &'static str>>()?;
    fields.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(Value::Object(fields.into_iter().collect::<Map<_, _>>()))
}

fn key_text(key: &CelMapKey<'_>) -> String {
    match key {
        CelMapKey::Bool(key) => key.inner().to_string(),
        CelMapKey::Int(key) => key.inner().to_string(),
        CelMapKey::String(key) => key.inner().to_owned(),
        CelMapKey::UInt(key) => key.inner().to_string(),
    }
}

/// RFC 3339, as `now` reads outside CEL.
fn moment_text(moment: &chrono::DateTime<chrono::FixedOffset>) -> String {
    let whole_millis = moment.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    if whole_millis {
        return Timestamp(moment.timestamp_millis()).to_string();
    }
    moment.to_utc().to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}

/// Seconds, as CEL's `duration()` reads them back.
fn duration_text(duration: chrono::Duration) -> String {
    let nanos =
        i128::from(duration.num_seconds()) * 1_000_000_000 + i128::from(duration.subsec_nanos());
    let (sign, nanos) = if nanos < 0 { ("-", -nanos) } else { ("", nanos) };
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}s", nanos / 1_000_000_000)
}
