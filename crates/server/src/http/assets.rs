//! The embedded pages, already compressed, and every version of the widget that was ever served.

use std::{collections::BTreeMap, io::Read as _};

use flate2::read::GzDecoder;
use hyper::{
    StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use parking_lot::Mutex;
use ring::digest;
use rust_embed::RustEmbed;

use crate::{
    crypto::hash,
    org::{
        Org,
        widgets::{Variants, WidgetBuild, Widgets, is_part},
    },
    proto::{ErrorCode, SiteId},
};

use super::{
    Http,
    answer::{self, Answer, PAGE_POLICY, WORKER_POLICY, error},
};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../ui/dist"]
#[allow_missing = true]
// these have compressed siblings, which are enough: see `plain`
#[exclude = "*.html"]
#[exclude = "*.js"]
#[exclude = "*.css"]
// an agent's browser loads the console once and keeps it: a second packing of it would be a quarter of a megabyte for nothing
#[exclude = "console/*.br"]
struct Pages;

/// What the widget's files are called in the build of the pages.
const LAUNCHER: &str = "w/kefu.js";
const PANEL: &str = "w/panel.js";
const MORE: &str = "w/more.js";
/// What takes the place of the last bytes of the packed panel in the packed single file: of Brotli, of gzip (`ui/build/pack.mjs`).
const SINGLE_TAILS: [(&str, usize); 2] = [("w/single.br.tail", 1), ("w/single.gz.tail", 10)];

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");

fn file(path: &str) -> Option<bytes::Bytes> {
    Pages::get(path).map(|f| match f.data {
        std::borrow::Cow::Borrowed(data) => bytes::Bytes::from_static(data),
        std::borrow::Cow::Owned(data) => data.into(),
    })
}

fn suffixed(path: &str, suffix: &str) -> Option<bytes::Bytes> {
    file(&format!("{path}.{suffix}"))
}

/// Files that a client requested uncompressed: at most all files of the executable.
static UNPACKED: Mutex<BTreeMap<String, bytes::Bytes>> = Mutex::new(BTreeMap::new());

/// A file as it is. What has a compressed sibling is unpacked for the first client that asks for it.
fn plain(path: &str) -> Option<bytes::Bytes> {
    let kept = || UNPACKED.lock();
    file(path).or_else(|| kept().get(path).cloned()).or_else(|| {
        let plain = unpacked(&suffixed(path, "gz")?)?;
        kept().insert(path.to_owned(), plain.clone());
        Some(plain)
    })
}

/// Names what a file is now, whatever it is packed as.
fn tag(path: &str) -> Option<String> {
    let file = Pages::get(&format!("{path}.gz")).or_else(|| Pages::get(path))?;
    Some(format!("W/\"{}\"", data_encoding::HEXLOWER.encode(&file.metadata.sha256_hash()[..8])))
}

fn unpacked(gz: &[u8]) -> Option<bytes::Bytes> {
    let mut plain = Vec::new();
    GzDecoder::new(gz).read_to_end(&mut plain).ok()?;
    Some(plain.into())
}

/// The widget inside this executable; none if it was built without pages.
pub fn embedded_widget() -> Option<WidgetBuild> {
    let embedded = |path| Some(Variants { plain: plain(path)?, br: suffixed(path, "br"), gz: suffixed(path, "gz") });
    let (launcher, panel, more) = (embedded(LAUNCHER)?, embedded(PANEL)?, embedded(MORE)?);
    let single = single_of(&launcher, &panel, &more);
    Some(WidgetBuild { launcher, panel, more, single })
}

/// All of the widget in one file. The executable holds only what distinguishes it from the packed panel.
fn single_of(launcher: &Variants, panel: &Variants, more: &Variants) -> Variants {
    let joined = |packed: &Option<bytes::Bytes>, (tail, end): (&str, usize)| {
        let (packed, tail) = (packed.as_ref()?, file(tail)?);
        Some([packed.get(..packed.len().checked_sub(end)?)?, &tail].concat().into())
    };
    let [br, gz] = SINGLE_TAILS;
    Variants {
        plain: [&panel.plain[..], &more.plain, &launcher.plain].concat().into(),
        br: joined(&panel.br, br),
        gz: joined(&panel.gz, gz),
    }
}

/// The `integrity` attribute of a file.
pub fn integrity(file: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA384, file);
    format!("sha384-{}", data_encoding::BASE64.encode(hash.as_ref()))
}

/// What a customer puts into their pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Snippet {
    /// This very launcher, with the files that it names, and the company's key.
    Pinned,
    /// The same as one file.
    Single,
    /// Always the newest launcher, without verification.
    Unpinned,
}

/// The script tag for the pages of a site. None: no such site, or no widget.
pub async fn snippet(org: &Org, widgets: &Widgets, site: &SiteId, public_url: &str, what: Snippet) -> Option<String> {
    org.site(site).await.filter(|s| s.on)?;
    let (version, widget) = match what {
        Snippet::Single => widgets.latest_single()?,
        Snippet::Pinned | Snippet::Unpinned => widgets.latest()?,
    };
    Some(if what == Snippet::Unpinned {
        format!(
            "<script src=\"{public_url}/w/latest/kefu.js\" crossorigin=\"anonymous\" data-site=\"{site}\" defer></script>"
        )
    } else {
        let (integrity, fp) = (integrity(&widget.plain), hash::org_fp_text(&org.fp()));
        format!(
            "<script src=\"{public_url}/w/{version}/kefu.js\" integrity=\"{integrity}\" crossorigin=\"anonymous\"\n        \
             data-site=\"{site}\" data-org=\"{fp}\" defer></script>"
        )
    })
}

/// Whether a client takes an encoding. `q=0` is a no.
fn accepts(headers: &HeaderMap, encoding: &str) -> bool {
    let listed = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    listed.flat_map(|v| v.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding))
            && !parts.any(|p| p.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0)))
    })
}

/// The smallest of the variants that the client takes; none if even the plain one is missing.
fn pick(
    headers: &HeaderMap,
    kind: &'static str,
    br: Option<bytes::Bytes>,
    gz: Option<bytes::Bytes>,
    plain: impl FnOnce() -> Option<bytes::Bytes>,
) -> Option<Answer> {
    let (body, encoding) = match (br, gz) {
        (Some(br), _) if accepts(headers, "br") => (br, Some("br")),
        (_, Some(gz)) if accepts(headers, "gzip") => (gz, Some("gzip")),
        _ => (plain()?, None),
    };
    let mut answer = answer::bytes(StatusCode::OK, kind, body);
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        answer.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Some(answer)
}

fn page(path: &str, headers: &HeaderMap) -> Option<Answer> {
    let kind = match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("wasm") => "application/wasm",
        Some("webmanifest") => "application/manifest+json",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    };
    pick(headers, kind, suffixed(path, "br"), suffixed(path, "gz"), || plain(path))
}

fn missing() -> Answer {
    error(ErrorCode::NotFound, "there is nothing at this address (or this kefu was built without its pages)")
}

/// The console. Hashed files never change, the page itself is asked for each time.
pub fn console(path: &str, headers: &HeaderMap) -> Answer {
    let path = if path.is_empty() { "index.html" } else { path };
    let Some(mut answer) = page(&format!("console/{path}"), headers) else { return missing() };
    let h = answer.headers_mut();
    if path.starts_with("assets/") {
        h.insert(header::CACHE_CONTROL, IMMUTABLE);
        h.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(WORKER_POLICY));
    } else {
        h.insert(header::CACHE_CONTROL, NO_CACHE);
        h.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
        h.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
        h.insert(
            HeaderName::from_static("permissions-policy"),
            HeaderValue::from_static("camera=(), microphone=(self), geolocation=()"),
        );
        // asked for each time, sent once
        if let Some(tag) = tag(&format!("console/{path}")) {
            answer = answer::tagged(answer, &tag, headers);
        }
    }
    answer
}

const SCRIPT: &str = "text/javascript; charset=utf-8";

/// One version of the widget; `latest` is for pages that do not pin.
pub async fn widget(http: &Http, version: &str, headers: &HeaderMap) -> Answer {
    let latest = version == "latest";
    let widgets = &http.widgets;
    let found = match latest {
        true => widgets.latest(),
        false => widgets.find(version).await.map(|v| (version.to_owned(), v)),
    };
    let Some((version, file)) = found else { return missing() };
    let Some(answer) = script(file, headers, if latest { NO_CACHE } else { IMMUTABLE }) else { return missing() };
    // a version's name has the file's hash in it
    answer::tagged(answer, &format!("W/\"{version}\""), headers)
}

/// A file that a launcher or its panel names, whatever version that is of. Its name has the file's hash in it.
pub async fn widget_part(http: &Http, file: &str, headers: &HeaderMap) -> Answer {
    let found = match file.strip_suffix(".js").filter(|name| is_part(name)) {
        Some(name) => http.widgets.find(name).await,
        None => None,
    };
    let answer = found.and_then(|file| script(file, headers, IMMUTABLE));
    answer.map_or_else(missing, |answer| answer::tagged(answer, &format!("W/\"{file}\""), headers))
}

fn script(Variants { plain, br, gz }: Variants, headers: &HeaderMap, cache: HeaderValue) -> Option<Answer> {
    let mut answer = pick(headers, SCRIPT, br, gz, || Some(plain))?;
    answer.headers_mut().insert(header::CACHE_CONTROL, cache);
    Some(answer)
}

/// The demo page, with the snippet of the first site in it.
pub async fn demo(http: &Http, path: &str, headers: &HeaderMap) -> Answer {
    let path = if path.is_empty() { "index.html" } else { path };
    if path != "index.html" {
        return page(&format!("demo/{path}"), headers).unwrap_or_else(missing);
    }
    let Some(html) = plain("demo/index.html") else { return missing() };
    let directory = http.org.directory();
    let site = directory.state().sites.iter().find(|(_, s)| s.on).map(|(id, _)| id.clone());
    let snippet = match site {
        Some(site) => {
            snippet(&http.org, &http.widgets, &site, &http.public_url, Snippet::Pinned).await.unwrap_or_default()
        }
        None => String::new(),
    };
    let html = String::from_utf8_lossy(&html).replace("{{SNIPPET}}", &snippet);
    let mut answer = answer::bytes(StatusCode::OK, "text/html; charset=utf-8", html);
    // the widget must live with a policy as strict as a bank's
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss:; \
        worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::org::widgets::{MORE, PANEL, part_name};

    #[test]
    fn encodings_are_taken_at_their_word() {
        let headers = |v: &'static str| {
            let mut h = HeaderMap::new();
            h.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(v));
            h
        };
        assert!(accepts(&headers("gzip, deflate, br"), "br"));
        assert!(accepts(&headers("gzip;q=0.5"), "gzip"));
        assert!(!accepts(&headers("br;q=0, gzip"), "br"));
        assert!(!accepts(&HeaderMap::new(), "br"));
    }

    #[test]
    fn every_file_of_the_pages_is_served_to_clients_that_take_no_encoding() {
        let dist = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/dist"));
        let mut folders = vec![dist.to_owned()];
        while let Some(folder) = folders.pop() {
            // a checkout without built pages has none to serve
            for entry in std::fs::read_dir(folder).into_iter().flatten().map(|e| e.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                    continue;
                }
                let name = entry.strip_prefix(dist).unwrap().to_str().unwrap();
                if name.starts_with("console/") && entry.extension().is_some_and(|e| e == "br") {
                    continue;
                }
                let served = plain(name).unwrap_or_else(|| panic!("{name} can't be served"));
                assert!(served == std::fs::read(&entry).unwrap(), "{name} is served as something else");
            }
        }
    }

    /// The build of the pages writes name and hash of each file into the one that loads it; the server serves by that name.
    #[test]
    fn each_file_names_the_next_and_its_hash_and_the_single_file_is_all() {
        // a checkout without built pages has none
        let Some(WidgetBuild { launcher, panel, more, single }) = embedded_widget() else { return };
        for (by, kind, file) in [(&launcher, PANEL, &panel), (&panel, MORE, &more)] {
            let text = std::str::from_utf8(&by.plain).unwrap();
            for part in [format!("{}.js", part_name(kind, &file.plain)), integrity(&file.plain)] {
                assert_eq!(text.matches(&part).count(), 1, "{part}");
            }
        }
        assert!(single.plain == [&panel.plain[..], &more.plain, &launcher.plain].concat());
        assert!(unpacked(&single.gz.unwrap()).unwrap() == single.plain, "its gzip form");
        // the build unpacked it; here it is a little longer than the panel's
        let (br, panel) = (single.br.unwrap().len(), panel.br.unwrap().len());
        assert!((panel..panel + 35 * 1024).contains(&br), "{br} after {panel}");
    }

    #[test]
    fn integrity_is_the_hash_browsers_compute() {
        assert_eq!(
            integrity(b"alert('Hello, world.');"),
            "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO"
        );
    }
}
