//! The form before a chat, as the widget reads it: an array of fields with labels in both languages of the pages.

use serde_json::{Value, json};

/// Fields with a meaning: id, Chinese and English label, kind of input.
const KNOWN: [(&str, &str, &str, &str); 8] = [
    ("name", "姓名", "Name", "text"),
    ("phone", "电话", "Phone", "tel"),
    ("email", "邮箱", "Email", "email"),
    ("company", "公司", "Company", "text"),
    ("account", "账号", "Account", "text"),
    ("order", "订单号", "Order number", "text"),
    ("topic", "咨询类型", "Topic", "text"),
    ("question", "问题", "Question", "textarea"),
];

/// Maximum number of fields; people close a widget that asks more.
const MOST: usize = 8;
/// Maximum number of characters of a label.
const LABEL: usize = 64;

/// Labels in Chinese and English, and the kind of input.
fn known(id: &str) -> Option<(&'static str, &'static str, &'static str)> {
    KNOWN.iter().find(|(known, ..)| *known == id).map(|(_, zh, en, kind)| (*zh, *en, *kind))
}

/// One field as typed: `ID[:required][=LABEL[|LABEL IN ENGLISH]]`.
pub fn field(text: &str) -> Result<Value, String> {
    let (head, labels) = match text.split_once('=') {
        Some((head, labels)) => (head, Some(labels)),
        None => (text, None),
    };
    let (id, required) = match head.trim().split_once(':') {
        None => (head.trim(), false),
        Some((id, "required")) => (id, true),
        Some((_, other)) => {
            return Err(format!("{other:?} is not understood: a field is ID, ID:required or ID=LABEL|ENGLISH LABEL"));
        }
    };
    let good = !id.is_empty()
        && id.len() <= 32
        && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !good {
        return Err(format!("{id:?} is not a field: use 1 to 32 of a-z 0-9 _"));
    }
    let (usual_zh, usual_en, kind) = known(id).unwrap_or((id, id, "text"));
    let (zh, en) = match labels {
        None => (usual_zh, usual_en),
        Some(labels) => {
            let (zh, en) = labels.split_once('|').unwrap_or((labels, labels));
            (label(id, zh)?, label(id, en)?)
        }
    };
    Ok(json!({"id": id, "label": {"zh": zh, "en": en}, "type": kind, "required": required}))
}

fn label<'a>(id: &str, text: &'a str) -> Result<&'a str, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > LABEL || text.chars().any(char::is_control) {
        return Err(format!("the label of {id} must have 1 to {LABEL} characters"));
    }
    Ok(text)
}

/// A whole form.
pub fn form(text: &str) -> Result<Value, String> {
    let mut fields: Vec<Value> = Vec::new();
    for typed in text.split(',').filter(|t| !t.trim().is_empty()) {
        let field = field(typed)?;
        if fields.iter().any(|f| f["id"] == field["id"]) {
            return Err(format!("the field {} is given twice", field["id"]));
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
        let required = if f["required"] == true { ":required" } else { "" };
        let (usual_zh, usual_en, _) = known(id).unwrap_or((id, id, ""));
        let text = |lang: &str, usual: &str| f["label"][lang].as_str().unwrap_or(usual).to_owned();
        let (zh, en) = (text("zh", usual_zh), text("en", usual_en));
        let labels = match (zh == usual_zh && en == usual_en, zh == en) {
            (true, _) => String::new(),
            (false, true) => format!("={zh}"),
            (false, false) => format!("={zh}|{en}"),
        };
        format!("{id}{required}{labels}")
    };
    form.as_array().map(|fields| fields.iter().map(word).collect::<Vec<_>>().join(",")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_back_as_it_was_typed() {
        let made = form("name, phone:required,vip_no, topic=业务|Business,city:required=城市,order=单号|Order number")
            .unwrap();
        assert_eq!(
            made[1],
            json!({"id": "phone", "label": {"zh": "电话", "en": "Phone"}, "type": "tel", "required": true})
        );
        assert_eq!(made[3]["label"], json!({"zh": "业务", "en": "Business"}));
        assert_eq!(made[4]["label"], json!({"zh": "城市", "en": "城市"}));
        assert_eq!(
            words(&made),
            "name,phone:required,vip_no,topic=业务|Business,city:required=城市,order=单号|Order number"
        );
        assert_eq!(form("").unwrap(), json!([]));
        for bad in ["name,name", "Name", "a b", "name:maybe", "a,b,c,d,e,f,g,h,i", "a=", "a=b|", "a=b\u{1b}"] {
            assert!(form(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn usual_fields_have_words_in_both_languages() {
        assert_eq!(form("topic").unwrap()[0]["label"], json!({"zh": "咨询类型", "en": "Topic"}));
    }
}
