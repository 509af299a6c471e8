//! The layers, and the reports of mistakes.

use std::io::Write;

use super::*;
use crate::{Cidr, LogFormat, LogLevel, Storage, template};

fn load(file: &str, env: &[(&str, &str)], overrides: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let mut f = tempfile::NamedTempFile::new().unwrap();
    f.write_all(file.as_bytes()).unwrap();
    let own = |list: &[(&str, &str)]| list.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect::<Vec<_>>();
    Config::load(Some(f.path()), own(env).into_iter(), own(overrides)).map_err(|e| {
        let place = f.path().display().to_string();
        e.to_string().lines().map(|l| l.replace(&place, "kefu.toml")).collect()
    })
}

fn errors(file: &str) -> Vec<String> {
    load(file, &[], &[]).unwrap_err()
}

#[test]
fn the_template_says_the_defaults_and_nothing_else() {
    assert_eq!(toml::from_str::<Config>(TEMPLATE).unwrap(), Config::default());
    assert_eq!(load(TEMPLATE, &[], &[]).unwrap(), Config::default());
    assert_eq!(Config::load(None, std::iter::empty(), Vec::new()).unwrap(), Config::default());
    // and every key of the struct is in it, so that it is the list of keys
    let all = serde_json::to_value(Config::default()).unwrap();
    let known: Vec<Key> = Loader::new().known.into_keys().collect();
    let listed: Vec<Key> = all
        .as_object()
        .unwrap()
        .iter()
        // of webhooks there is none by default
        .filter(|(s, _)| *s != "webhook")
        .flat_map(|(s, keys)| keys.as_object().unwrap().keys().map(move |k| (s.clone(), k.clone())))
        .collect();
    assert_eq!(listed.iter().collect::<std::collections::BTreeSet<_>>(), known.iter().collect());
}

#[test]
fn a_template_with_values_says_exactly_these() {
    assert_eq!(template(None, &Storage::default()), TEMPLATE);
    let mut wanted = Config::default();
    wanted.server.public_url = "https://chat.example.com".into();
    wanted.storage = Storage {
        url: "rediss://ke fu:a\"b\\@redis.example.com:6379".into(),
        password_file: "/etc/kefu/redis.password".into(),
        sentinel_password_file: "/etc/kefu/sentinel.password".into(),
        ca: "/etc/kefu/ca.pem".into(),
        prefix: "bank:".into(),
        ack_replicas: 1,
        unchecked: true,
        ..Storage::default()
    };
    let text = template(Some(&wanted.server.public_url), &wanted.storage);
    assert_eq!(toml::from_str::<Config>(&text).unwrap(), wanted);
    assert_eq!(text.lines().count(), TEMPLATE.lines().count());
}

#[test]
fn every_key_of_the_template_is_explained() {
    let mut explained = false;
    for line in TEMPLATE.lines() {
        if line.starts_with('#') {
            explained = true;
        } else if line.is_empty() || line.starts_with('[') {
            explained = false;
        } else {
            assert!(explained, "{line}");
        }
    }
}

#[test]
fn each_layer_wins_over_the_one_before() {
    let file = "[server]\nlisten = \"127.0.0.1:1\"\nmax_connections = 100\n[desk]\ncapacity = 3\n";
    let env =
        [("KEFU_SERVER__LISTEN", "127.0.0.1:2"), ("KEFU_DESK__CAPACITY", "4"), ("KEFU_DATA", "/x"), ("HOME", "/")];
    let c = load(file, &env, &[("server.listen", "[::1]:3"), ("desk.auto_accept", "false")]).unwrap();
    assert_eq!(c.server.listen.to_string(), "[::1]:3");
    assert_eq!((c.server.max_connections, c.desk.capacity, c.desk.auto_accept), (100, 4, false));
}

#[test]
fn lists_and_texts_need_no_quotes_outside_the_file() {
    for written in ["10.0.0.0/8,::1", "10.0.0.0/8, ::1", "[\"10.0.0.0/8\", \"::1\"]"] {
        let c = load("", &[("KEFU_SERVER__TRUSTED_PROXIES", written)], &[]).unwrap();
        let expected: Vec<Cidr> = ["10.0.0.0/8", "::1"].iter().map(|s| s.parse().unwrap()).collect();
        assert_eq!(c.server.trusted_proxies, expected, "{written}");
    }
    let c = load(
        "",
        &[("KEFU_LOG__LEVEL", "debug"), ("KEFU_TLS__CERT", "1"), ("KEFU_TLS__KEY", "2")],
        &[("log.format", "json")],
    );
    let c = c.unwrap();
    assert_eq!((c.log.level, c.log.format, c.tls.cert.as_str()), (LogLevel::Debug, LogFormat::Json, "1"));
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place() {
    let file = "\
# mine
[server]
lisen = \"0.0.0.0:1\"
listen = \"everywhere\"
capacity = 5

[sever]
x = 1

[desk]
offer_seconds = 1
grace_seconds = \"long\"
";
    let env = [("KEFU_LOG__LEVL", "info"), ("KEFU_DESK__CAPACITY", "many")];
    let got = load(file, &env, &[("limits.visitor_burst", "0"), ("listen", "x")]).unwrap_err();
    let expected = [
        r#"kefu.toml:3: unknown key "lisen" in [server]; did you mean "listen"?"#,
        "kefu.toml:4: listen in [server]: invalid socket address syntax",
        r#"kefu.toml:5: unknown key "capacity" in [server]; it belongs to [desk]"#,
        "kefu.toml:7: unknown section [sever]; did you mean [server]?",
        "kefu.toml:11: offer_seconds is 1; it must be between 5 and 600 seconds",
        r#"kefu.toml:12: grace_seconds in [desk]: invalid type: string "long", expected u32"#,
        r#"environment KEFU_LOG__LEVL: unknown key "levl" in [log]; did you mean "level"?"#,
        r#"environment KEFU_DESK__CAPACITY: capacity in [desk]: invalid type: string "many", expected u32"#,
        r#"command line listen: "listen" is not a key: write section.key, such as server.listen"#,
        "command line limits.visitor_burst: visitor_burst is 0; it must be between 1 and 100000",
    ];
    assert_eq!(got, expected);
}

#[test]
fn keys_outside_sections_and_broken_files_have_lines_too() {
    assert_eq!(
        errors("listen = \"x\"\n"),
        [r#"kefu.toml:1: "listen" is outside any section; did you mean listen in [server]?"#]
    );
    let got = errors("[server]\nlisten = \n[desk]\ncapacity = 0\n[desk]\n");
    assert!(got[0].starts_with("kefu.toml:2: "), "{got:?}");
    assert!(got.iter().any(|l| l.starts_with("kefu.toml:4: capacity is 0")), "{got:?}");
    assert!(got.iter().any(|l| l.starts_with("kefu.toml:5: ")), "{got:?}");
}

#[test]
fn a_missing_file_is_said_to_be_missing() {
    let e = Config::load(Some(Path::new("/nowhere/kefu.toml")), std::iter::empty(), Vec::new()).unwrap_err();
    let text = e.to_string();
    assert_eq!(text, "/nowhere/kefu.toml: there is no such configuration file");
}

#[test]
fn plain_http_is_for_loopback_or_behind_a_proxy() {
    let got = errors("[server]\nplain_http = true\n");
    assert!(
        got[0].starts_with("kefu.toml:2: plain HTTP on 0.0.0.0:8443") && got[0].contains("trusted_proxies"),
        "{got:?}"
    );
    for fine in [
        "[server]\nplain_http = true\nlisten = \"127.0.0.1:80\"\n",
        "[server]\nplain_http = true\nlisten = \"[::1]:80\"\n",
        "[server]\nplain_http = true\ntrusted_proxies = [\"10.0.0.1\"]\n",
    ] {
        load(fine, &[], &[]).unwrap();
    }
}

#[test]
fn half_a_certificate_other_storage_and_odd_urls_are_refused() {
    for (file, says) in [
        ("[tls]\ncert = \"a.pem\"\n", "needs its private key"),
        ("[tls]\nkey = \"a.pem\"\n", "needs its certificate"),
        ("[storage]\nurl = \"mysql://x\"\n", "not a storage type of this kefu"),
        ("[storage]\nurl = \"rediss://x\"\n", "TLS needs the certificates to trust"),
        ("[storage]\nprefix = \"{a}\"\n", "without spaces and braces"),
        ("[server]\npublic_url = \"chat.example.com\"\n", "(no scheme)"),
        ("[server]\npublic_url = \"https://\"\n", "must be only https://host"),
        ("[server]\npublic_url = \"https://a.example/kefu\"\n", "(it has a path"),
        ("[server]\npublic_url = \"https://例子.测试\"\n", "punycode"),
        ("[server]\ntrusted_proxies = [\"10.1.1.1/8\"]\n", "the network is 10.0.0.0/8"),
        ("[directory]\nfreshness_days = 181\n", "between 1 and 180 days"),
        ("[log]\nlevel = \"loud\"\n", "unknown variant `loud`"),
        ("[desk]\ncapacity = -1\n", "capacity in [desk]"),
    ] {
        let got = errors(file);
        assert!(got.len() == 1 && got[0].contains(says) && got[0].starts_with("kefu.toml:2: "), "{file}: {got:?}");
    }
}

#[test]
fn the_public_url_is_made_from_the_address_if_nobody_says() {
    for (file, url) in [
        ("", "https://localhost:8443"),
        ("[server]\nlisten = \"192.0.2.1:443\"\n", "https://192.0.2.1"),
        ("[server]\nlisten = \"[::1]:80\"\nplain_http = true\n", "http://[::1]"),
        ("[server]\npublic_url = \"https://chat.example.com/\"\n", "https://chat.example.com"),
        ("[server]\npublic_url = \"https://Chat.Example.com:443\"\n", "https://chat.example.com"),
        ("[server]\npublic_url = \"HTTP://chat.example.com:80/\"\n", "http://chat.example.com"),
    ] {
        assert_eq!(load(file, &[], &[]).unwrap().public_url(), url);
    }
}

#[test]
fn rules_of_the_robot_say_which_intent_is_wrong() {
    for (file, says) in [
        ("[robot.intents]\nspam = { do = \"ignore\" }\n", "intents in [robot]: spam: unknown variant `ignore`"),
        ("[robot.intents]\nspam = { do = \"say\" }\n", "spam needs a text"),
        ("[robot.intents]\nsales = { do = \"route\" }\n", "sales needs the team"),
        ("[robot.intents]\nspam = { do = \"silent\", zh = \"x\" }\n", "spam posts no text"),
        ("[robot.sites.web.intents]\nspam = { do = \"say\" }\n", "web: spam needs a text"),
        ("[robot.sites.web]\ntreshold = 3\n", "web: unknown field `treshold`"),
        ("[robot]\nthreshold = 0\n", "between 1 and 99 percent"),
    ] {
        let got = errors(file);
        assert!(got.len() == 1 && got[0].contains(says), "{file}: {got:?}");
    }
    let c =
        load("[robot.sites]\nweb = { threshold = 60, intents = { spam = { do = \"silent\" } } }\n", &[], &[]).unwrap();
    assert_eq!(c.robot.sites["web"].threshold, Some(60));
}

#[test]
fn problems_that_others_find_stand_at_their_own_line() {
    let mut f = tempfile::NamedTempFile::new().unwrap();
    let text = "[robot]\nthreshold = 0\n[robot.sites.web]\nthreshold = 60\npeople_hours = \"x\"\n\
                [robot.sites]\napp = { people_hours = \"y\" }\n";
    f.write_all(text.as_bytes()).unwrap();
    let paths =
        ["robot.sites.web.people_hours", "robot.sites.app.people_hours", "robot.sites.web.answers", "robot.margin"];
    let env = [("KEFU_ROBOT__MARGIN".to_owned(), "3".to_owned())];
    let more = |c: &Config| {
        assert_eq!(c.robot.margin, 3);
        paths.iter().map(|p| Problem::new(*p, *p)).collect()
    };
    let e = Config::load_and_check(Some(f.path()), env.into_iter(), Vec::new(), more).unwrap_err();
    let place = f.path().display().to_string();
    let got: Vec<_> = e.to_string().lines().map(|l| l.replace(&place, "kefu.toml")).collect();
    assert_eq!(
        got,
        [
            "kefu.toml:2: threshold is 0; it must be between 1 and 99 percent",
            "kefu.toml:3: robot.sites.web.answers",
            "kefu.toml:5: robot.sites.web.people_hours",
            "kefu.toml:7: robot.sites.app.people_hours",
            "environment KEFU_ROBOT__MARGIN: robot.margin",
        ]
    );
}

#[test]
fn files_in_a_bucket_need_all_of_their_settings() {
    let storage = |more: &str| load(&format!("[storage]\n{more}"), &[], &[]);
    let right = "blobs = \"s3://chat/files\"\ns3_key_file = \"/etc/kefu/s3\"\n";
    for endpoint in [
        "s3_endpoint = \"http://127.0.0.1:9000\"",
        "s3_endpoint = \"http://localhost:9000\"",
        "s3_endpoint = \"http://[::1]:9000\"",
        "s3_endpoint = \"http://10.0.0.5:9000\"\ns3_plain_http = true",
        "s3_endpoint = \"https://s3.example\"\ns3_ca = \"/etc/ca.pem\"",
        "s3_endpoint = \"https://s3.example\"\nca = \"/etc/ca.pem\"",
        "s3_endpoint = \"http://127.0.0.1:9000\"\nurl = \"redis://127.0.0.1\"",
    ] {
        let config = storage(&format!("{right}{endpoint}")).unwrap_or_else(|e| panic!("{endpoint}: {e:?}"));
        assert_eq!(config.storage.bucket(), Some("s3://chat/files"));
    }
    for (wrong, words) in [
        (right.to_owned(), "files in a bucket need this: the address of the store"),
        ("blobs = \"s3://chat\"\ns3_endpoint = \"http://[::1]\"".to_owned(), "the id of the key and its secret"),
        (format!("{right}s3_endpoint = \"http://10.0.0.5\""), "without TLS"),
        (format!("{right}s3_endpoint = \"http://127.0.0.1.example\""), "without TLS"),
        (format!("{right}s3_endpoint = \"https://s3.example\""), "name a PEM file in s3_ca"),
        (format!("{right}s3_endpoint = \"https://s3.example/chat\""), "must be only https://host"),
        (format!("{right}s3_endpoint = \"http://[::1]\"\ns3_region = \"a b\""), "a region has letters"),
        ("blobs = \"blobs\"".to_owned(), "neither an absolute path nor s3://bucket/prefix"),
        ("url = \"redis://h\"\nblobs = \"/mnt/blobs\"".to_owned(), "have no directory in common"),
    ] {
        let said = storage(&wrong).unwrap_err().join("\n");
        assert!(said.contains(words), "{wrong}: {said}");
    }
}
