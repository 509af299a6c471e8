//! Replies of scripts, read piece by piece.

pub(super) use kefu_redis_link::Value;

/// Bytes; none if it is something else, or nothing.
pub(super) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        Value::SimpleString(text) => Some(text.as_bytes()),
        _ => None,
    }
}

/// A number, written either way; 0 if it is something else. Our own scripts return numbers where they are read.
pub(super) fn number(value: &Value) -> u64 {
    match value {
        Value::Int(number) => u64::try_from(*number).unwrap_or(0),
        other => bytes(other).and_then(|text| std::str::from_utf8(text).ok()?.parse().ok()).unwrap_or(0),
    }
}

/// The parts of an array; of something else none.
pub(super) fn parts(value: Value) -> Vec<Value> {
    match value {
        Value::Array(parts) => parts,
        _ => Vec::new(),
    }
}

/// All bytes in an array.
pub(super) fn strings(value: Value) -> Vec<Vec<u8>> {
    let all = parts(value).into_iter().filter_map(|part| match part {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    });
    all.collect()
}
