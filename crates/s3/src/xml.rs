//! What the store answers in XML: lists and errors. Everything else in them is passed over.

use quick_xml::{Reader, events::Event};

/// An object of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
    /// When it was written, ms since 1970; 0 if that was not understood.
    pub changed_ms: u64,
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listed {
    /// In the order of their keys.
    pub objects: Vec<Object>,
    /// What to ask for the next page with; none: this is the last.
    pub next: Option<String>,
}

/// The root's name and every text below it, with the names of the elements it is in.
fn texts(xml: &str, mut each: impl FnMut(&[String], &str)) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut text, mut root) = (Vec::new(), String::new(), None);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                root = root.or_else(|| path.first().cloned());
                text.clear();
                // no answer is deeper
                (path.len() <= 8).then_some(())?;
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                Some(char) => text.push(char),
                None => text.push_str(quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())?),
            },
            Event::End(_) => {
                each(&path, &text);
                path.pop();
                text.clear();
            }
            Event::Eof => return root.filter(|_| path.is_empty()),
            _ => {}
        }
    }
}

/// Reads the answer to `ListObjectsV2`; none if it is something else.
pub fn listed(xml: &str) -> Option<Listed> {
    let (mut all, mut object, mut truncated) = (Listed::default(), Object::default(), false);
    let mut sound = true;
    let root = texts(xml, |path, text| {
        let names: Vec<&str> = path.iter().skip(1).map(String::as_str).collect();
        match names.as_slice() {
            ["IsTruncated"] => truncated = text == "true",
            ["NextContinuationToken"] => all.next = Some(text.to_owned()),
            ["Contents", "Key"] => text.clone_into(&mut object.key),
            ["Contents", "Size"] => match text.trim().parse() {
                Ok(size) => object.size = size,
                Err(_) => sound = false,
            },
            ["Contents", "LastModified"] => {
                let at = text.trim().parse::<jiff::Timestamp>().ok();
                object.changed_ms = at.and_then(|at| u64::try_from(at.as_millisecond()).ok()).unwrap_or(0);
            }
            ["Contents"] => all.objects.push(std::mem::take(&mut object)),
            _ => {}
        }
    })?;
    all.next = all.next.filter(|_| truncated);
    // a list that goes on somewhere unknown is none
    (sound && root == "ListBucketResult" && truncated == all.next.is_some()).then_some(all)
}

/// What an error says: its code, its sentence, and the region or bucket that it names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fault {
    pub code: String,
    pub message: String,
    pub region: String,
    pub server_time: String,
}

/// Reads an error; without a code if it is something else.
pub fn fault(xml: &str) -> Fault {
    let mut fault = Fault::default();
    let short = |text: &str| text.chars().filter(|c| !c.is_control()).take(200).collect::<String>();
    let root = texts(xml, |path, text| match path.last().map(String::as_str) {
        Some("Code") => fault.code = short(text),
        Some("Message") => fault.message = short(text),
        Some("Region") => fault.region = short(text),
        Some("ServerTime") => fault.server_time = short(text),
        _ => {}
    });
    if root.as_deref() == Some("Error") { fault } else { Fault::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_anything_else_is_none() {
        let xml = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>2</KeyCount>
<IsTruncated>true</IsTruncated><NextContinuationToken>1a&amp;&#43;b/=</NextContinuationToken>
<Contents><Key>a/b</Key><LastModified>2013-05-24T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>7</Size>
<Owner><ID>9</ID></Owner></Contents><Contents><Key>a/c</Key><Size>0</Size></Contents>
<CommonPrefixes><Prefix>z/</Prefix></CommonPrefixes></ListBucketResult>"#;
        let list = listed(xml).unwrap();
        assert_eq!(list.next.as_deref(), Some("1a&+b/="));
        let first = Object { key: "a/b".into(), size: 7, changed_ms: 1_369_353_600_000 };
        assert_eq!(list.objects, [first, Object { key: "a/c".into(), ..Object::default() }]);
        assert!(listed("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>").is_some());
        for wrong in [
            "",
            "<html></html>",
            "<ListBucketResult>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><Contents><Key>a</Key><Size>x</Size></Contents></ListBucketResult>",
            &"<a>".repeat(100_000),
        ] {
            assert_eq!(listed(wrong), None, "{}", &wrong[..wrong.len().min(60)]);
        }
    }

    #[test]
    fn errors_are_read_and_pages_of_proxies_are_none() {
        let xml = "<?xml version='1.0'?>\n<Error><Code>NoSuchKey</Code><Message>It is\x07 gone</Message></Error>";
        assert_eq!(fault(xml), Fault { code: "NoSuchKey".into(), message: "It is gone".into(), ..Fault::default() });
        assert_eq!(fault("<html><Code>502</Code></html>"), Fault::default());
        assert_eq!(fault("nginx"), Fault::default());
    }
}
