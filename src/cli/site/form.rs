//! The form before a chat, as the widget reads it: an array of fields with labels in both languages of the pages.

use serde_json::{Value, json};

/// Fields with a meaning: id, Chinese and English label, kind of input.
const KNOWN: [(&str, &str, &str, &str); 7] = [
    ("name", "姓名", "Name", "text"),
    ("phone", "电话", "Phone", "tel"),
    ("email", "邮箱", "Email", "email"),
    ("company", "公司", "Company", "text"),
    ("account", "账号", "Account", "text"),
    ("order", "订单号", "Order number", "text"),
    ("question", "问题", "Question", "textarea"),
];

/// Most fields; people close a widget that asks more.
const MOST: usize = 8;

/// One field as typed: an id, or `id:required`.
pub fn field(text: &str) -> Result<Value, String> {
    let (id, required) = match text.trim().split_once(':') {
        None => (text.trim(), false),
        Some((id, "required")) => (id, true),
        Some((_, other)) => return Err(format!("{other:?} is not understood: a field is ID or ID:required")),
    };
    let good = !id.is_empty()
        && id.len() <= 32
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !good {
        return Err(format!("{id:?} is not a field: use 1 to 32 of a-z 0-9 _"));
    }
    let (zh, en, kind) = match KNOWN.iter().find(|(known, ..)| *known == id) {
        Some((_, zh, en, kind)) => (*zh, *en, *kind),
        None => (id, id, "text"),
    };
    Ok(json!({"id": id, "label": {"zh": zh, "en": en}, "type": kind, "required": required}))
}

/// A whole form.
pub fn form(text: &str) -> Result<Value, String> {
    let mut fields: Vec<Value> = Vec::new();
    for typed in text.split(',').filter(|t| !t.trim().is_empty()) {
        let field = field(typed)?;
        if fields.iter().any(|f| f["id"] == field["id"]) {
            return Err(format!("the field {} stands there twice", field["id"]));
        }
        fields.push(field);
    }
    if fields.len() > MOST {
        return Err(format!("{} fields are too many: at most {MOST}", fields.len()));
    }
    Ok(Value::Array(fields))
}

/// A stored form in the words of the command line.
pub fn words(form: &Value) -> String {
    let word = |f: &Value| {
        let id = f["id"].as_str().unwrap_or("?");
        if f["required"] == true { format!("{id}:required") } else { id.to_owned() }
    };
    form.as_array().map(|fields| fields.iter().map(word).collect::<Vec<_>>().join(",")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_back_as_it_was_typed() {
        let made = form("name, phone:required,vip_no").unwrap();
        assert_eq!(
            made[1],
            json!({"id": "phone", "label": {"zh": "电话", "en": "Phone"}, "type": "tel", "required": true})
        );
        assert_eq!(words(&made), "name,phone:required,vip_no");
        assert_eq!(form("").unwrap(), json!([]));
        for bad in ["name,name", "Name", "a b", "name:maybe", "a,b,c,d,e,f,g,h,i"] {
            assert!(form(bad).is_err(), "{bad}");
        }
    }
}
