//! Right and wrong URLs.

use super::*;

fn read(text: &str) -> Url {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

#[test]
fn one_server() {
    let url = read("redis://db");
    assert_eq!(url.place, Place::Server(Address::new("db", 6379), 0));
    assert!(!url.tls && url.user.is_none() && url.password.is_none());

    let url = read(" rediss://kefu:p%40ss%2f%25@[fd00::1]:6380/3\n");
    assert_eq!(url.place, Place::Server(Address::new("fd00::1", 6380), 3));
    assert_eq!((url.tls, url.user.as_deref()), (true, Some("kefu")));
    assert_eq!(url.password, Some(Password::new("p@ss/%")));
}

#[test]
fn sentinels_and_nodes_of_a_cluster() {
    let url = read("redis+sentinel://:pw@s1,s2:5000/my-master");
    let sentinels = vec![Address::new("s1", 26379), Address::new("s2", 5000)];
    assert_eq!(url.place, Place::Sentinel(sentinels, "my-master".into()));
    assert_eq!((url.user, url.password), (None, Some(Password::new("pw"))));

    let url = read("REDISS+CLUSTER://10.0.0.1,10.0.0.2:7001/");
    assert!(url.tls);
    assert_eq!(url.place, Place::Cluster(vec![Address::new("10.0.0.1", 6379), Address::new("10.0.0.2", 7001)]));
}

#[test]
fn each_mistake_has_its_sentence() {
    for (text, mistake) in [
        ("", UrlError::Scheme),
        ("db:6379", UrlError::Scheme),
        ("valkey://db", UrlError::Scheme),
        ("redis+other://db", UrlError::Scheme),
        ("redis://", UrlError::NoHost),
        ("redis://:6379", UrlError::NoHost),
        ("redis+cluster://a,,b", UrlError::NoHost),
        ("redis://a b", UrlError::Host),
        ("redis://:a/b@db", UrlError::Host),
        ("redis://db:port", UrlError::Port),
        ("redis://db:70000", UrlError::Port),
        ("redis://:%zz@db", UrlError::Escape),
        ("redis://:%ff@db", UrlError::Escape),
        ("redis://:%4@db", UrlError::Escape),
        ("redis://kefu:@db", UrlError::EmptyPassword),
        ("redis://a,b", UrlError::SeveralHosts),
        ("redis://db/x", UrlError::Database),
        ("redis+sentinel://s1", UrlError::NoMaster),
        ("redis+sentinel://s1/", UrlError::NoMaster),
        ("redis+sentinel://s1/a/b", UrlError::NoMaster),
        ("redis+cluster://a/0", UrlError::ClusterPath),
        ("redis://db?protocol=resp3", UrlError::Parameters),
    ] {
        assert_eq!(text.parse::<Url>(), Err(mistake), "{text}");
    }
}

#[test]
fn nothing_shows_the_password() {
    for text in ["redis://kefu:secret@db/2", "redis+sentinel://:secret@a,b:1/m", "rediss+cluster://u:secret@a"] {
        let url = read(text);
        assert!(!format!("{url} {url:?}").contains("secret"));
    }
    assert_eq!(read("rediss://kefu:secret@[::1]/2").to_string(), "rediss://kefu:***@[::1]:6379/2");
    assert_eq!(read("redis+sentinel://kefu@a,b:1/m").to_string(), "redis+sentinel://kefu@a:26379,b:1/m");
    // nor do mistakes near it
    for text in ["redis://:secret", "redis://u:secret/x@db", "redis://:secret#@db", "secret://x", "redis://:secret%@db"]
    {
        assert!(!text.parse::<Url>().unwrap_err().to_string().contains("secret"), "{text}");
    }
}
