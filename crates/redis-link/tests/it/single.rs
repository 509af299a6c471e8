//! Opening a connection to one server: password, role, version, TLS.

use std::time::Duration;

use kefu_redis_link::{
    Connector, Error, Expect, Handshake, Options, Password, Reason, Role, SettingsError, Url, Version, cmd,
    testing::{Certificates, RedisServer},
};

use crate::{connector, open};

#[tokio::test]
async fn a_server_without_password_says_who_it_is() {
    let server = RedisServer::start(&[]).await;
    let connection = open(&server, &[]).await.unwrap();
    let found = connection.server();
    assert_eq!((&found.address, found.run_id.len()), (&server.address(), 40));
    assert!(found.version >= Version(7, 0, 0));
    assert_eq!(found.role, Role::Primary { replicas: vec![] });
    let name: String = connection.query(cmd("CLIENT").arg("GETNAME")).await.unwrap();
    assert_eq!(name, "kefu-test");
    let again = open(&server, &[]).await.unwrap();
    assert_eq!(again.server().run_id, found.run_id);
}

#[tokio::test]
async fn password_from_the_url_or_beside_it() {
    let server = RedisServer::start(&[("requirepass", "p@ss")]).await;
    open(&server, &[]).await.unwrap();

    let bare: Url = format!("redis://{}", server.address()).parse().unwrap();
    let options = Options { password: Some(Password::new("p@ss\n")), ..Options::default() };
    let with_file = Connector::new(&bare, options.clone()).unwrap();
    with_file.open(&server.address(), &Handshake::primary("t")).await.unwrap();

    let wrong = Options { password: Some(Password::new("no")), ..Options::default() };
    for (options, code) in [(Options::default(), "NOAUTH"), (wrong, "WRONGPASS")] {
        let connector = Connector::new(&bare, options).unwrap();
        let error = connector.open(&server.address(), &Handshake::primary("t")).await.unwrap_err();
        assert!(matches!(&error, Error::Refused { message, .. } if message.starts_with(code)), "{error:?}");
        assert!(!error.may_have_run() && !error.is_topology());
    }
    assert!(matches!(Connector::new(&server.url(), options), Err(SettingsError::TwoPasswords)));
}

#[tokio::test]
async fn a_user_with_too_few_rights_is_refused() {
    let server = RedisServer::start(&[("user", "poor on >pw ~* +hello +client +ping")]).await;
    let url: Url = format!("redis://poor:pw@{}", server.address()).parse().unwrap();
    let connector = Connector::new(&url, Options::default()).unwrap();
    let error = connector.open(&server.address(), &Handshake::primary("t")).await.unwrap_err();
    assert!(matches!(&error, Error::Refused { message, .. } if message.contains("role")), "{error:?}");
}

#[tokio::test]
async fn another_database_is_another_place() {
    let server = RedisServer::start(&[]).await;
    let url: Url = format!("redis://{}/3", server.address()).parse().unwrap();
    let third = Connector::new(&url, Options::default()).unwrap();
    let third = third.open(&server.address(), &Handshake::primary("t")).await.unwrap();
    third.send(cmd("SET").arg("a").arg(1)).await.unwrap();
    assert_eq!(open(&server, &[]).await.unwrap().query::<u64>(&cmd("DBSIZE")).await.unwrap(), 0);

    let url: Url = format!("redis://{}/99", server.address()).parse().unwrap();
    let none = Connector::new(&url, Options::default()).unwrap();
    none.open(&server.address(), &Handshake::primary("t")).await.unwrap_err();
}

#[tokio::test]
async fn a_replica_is_not_handed_out_as_primary() {
    let primary = RedisServer::start(&[("requirepass", "pw")]).await;
    let replica = primary.replica(&[]).await;
    let error = open(&replica, &[]).await.unwrap_err();
    assert!(matches!(error, Error::Moved { reason: Reason::NotPrimary, .. }), "{error:?}");
    let any = Handshake::primary("t").expect(Expect::Any);
    let found = connector(&replica).open(&replica.address(), &any).await.unwrap();
    assert_eq!(found.server().role, Role::Replica { of: primary.address(), connected: true });
    let error = found.send(cmd("SET").arg("a").arg(1)).await.unwrap_err();
    assert!(matches!(error, Error::Moved { reason: Reason::ReadOnly, .. }), "{error:?}");
    let Role::Primary { replicas } = primary.connect().await.server().role.clone() else { panic!("it is primary") };
    assert_eq!(replicas, [replica.address()]);
}

#[tokio::test]
async fn tls_trusts_the_given_authority_only() {
    let certificates = Certificates::make();
    let server = RedisServer::start_tls(&certificates, &[]).await;
    let connection = open(&server, &[]).await.unwrap();
    assert_eq!(connection.query::<String>(cmd("ECHO").arg("x")).await.unwrap(), "x");

    let handshake = Handshake::primary("t");
    let stranger = Options { ca: Some(Certificates::make().authority().to_vec()), ..Options::default() };
    let error = Connector::new(&server.url(), stranger).unwrap().open(&server.address(), &handshake).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { why, .. } if why.contains("certificate")), "{error:?}");

    let plain: Url = format!("redis://{}", server.address()).parse().unwrap();
    let error =
        Connector::new(&plain, Options::default()).unwrap().open(&server.address(), &handshake).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { why, .. } if why.contains("rediss://")), "{error:?}");

    assert!(matches!(Connector::new(&server.url(), Options::default()), Err(SettingsError::NoAuthority(_))));
    assert!(matches!(Connector::new(&plain, server.options()), Err(SettingsError::NotEncrypted(_))));
    let none = Options { ca: Some(b"no certificate".to_vec()), ..Options::default() };
    assert!(matches!(Connector::new(&server.url(), none), Err(SettingsError::Authority(_))));
}

#[tokio::test]
async fn nobody_there_or_nobody_who_answers() {
    let mut server = RedisServer::start(&[]).await;
    let options = Options { connect_timeout: Duration::from_millis(300), ..Options::default() };
    let connector = Connector::new(&server.url(), options).unwrap();
    server.stop();
    let error = connector.open(&server.address(), &Handshake::primary("t")).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { why, .. } if why.contains("300 ms")), "{error:?}");
    server.kill();
    let error = connector.open(&server.address(), &Handshake::primary("t")).await.unwrap_err();
    assert!(matches!(&error, Error::Unreachable { .. }) && !error.may_have_run(), "{error:?}");
    server.restart().await;
    connector.open(&server.address(), &Handshake::primary("t")).await.unwrap();
}
