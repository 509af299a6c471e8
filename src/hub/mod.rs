//! Who is connected where; bounded outboxes.
