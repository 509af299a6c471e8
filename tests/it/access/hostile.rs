//! What no honest client sends. The server stays up, and everyone else notices nothing.

use kefu::{app::Admin, config::Config, proto::MAX_ENVELOPE};

use super::*;
use crate::support::{
    dice::Dice,
    http::ask,
    peer::Me,
    wire::{Gone, Got, Wire},
};

/// A socket after its hello, without a view of anything.
async fn socket(server: &Server) -> (Wire, Me) {
    let me = Me::visitor("s1");
    let mut wire = Wire::open(server.addr, &me.door).await.unwrap();
    wire.hello(&me.key, me.side()).await.unwrap();
    wire.next().await.unwrap();
    (wire, me)
}

/// The next error from the server.
async fn refusal(wire: &mut Wire) -> Result<ErrorCode, Gone> {
    loop {
        if let Got::Frame(ServerFrame::Error { code, .. }) = wire.next().await? {
            return Ok(code);
        }
    }
}

#[tokio::test]
async fn oversized_frames_end_the_session() {
    let server = Server::new().await;
    let (mut wire, _) = socket(&server).await;
    wire.send_text(&format!(r#"{{"t":"ping","x":"{}"}}"#, "a".repeat(16 * 1024))).await.unwrap();
    assert_eq!(wire.closed().await, Some(4500));
    let (mut wire, _) = socket(&server).await;
    wire.send_envelope(vec![b'K'; MAX_ENVELOPE + 64 * 1024]).await.unwrap();
    assert_eq!(wire.closed().await, Some(4500));
    // a little too much is a mistake, not an attack
    let (mut wire, _) = socket(&server).await;
    let mut envelope = vec![0; MAX_ENVELOPE + 1];
    envelope[..4].copy_from_slice(b"K1\x01\x01");
    wire.send_envelope(envelope).await.unwrap();
    assert_eq!(refusal(&mut wire).await, Ok(ErrorCode::TooLarge));
    let body = format!(r#"{{"id":"{}"}}"#, "a".repeat(300 * 1024));
    let answer = ask(server.addr, "POST", "/api/v1/login/finish", &[], body).await.unwrap();
    assert_eq!((answer.status, answer.code()), (413, Some(2)));
}

#[tokio::test]
async fn nonsense_is_refused_by_name_and_the_ninth_time_ends_the_session() {
    let server = Server::new().await;
    let conv = "00112233445566778899aabbccddeeff";
    let deep = format!(r#"{{"t":"ping","x":{}{}}}"#, "[".repeat(8_000), "]".repeat(8_000));
    let texts = [
        deep,
        "null".to_owned(),
        "[]".to_owned(),
        r#"{"t":"shout"}"#.to_owned(),
        r#"{"t":"resume"}"#.to_owned(),
        r#"{"t":"open","req":-1}"#.to_owned(),
        format!(r#"{{"t":"transfer","req":1,"conv":"{conv}","agent":"li\u0000"}}"#),
        format!(r#"{{"t":"close","req":1,"conv":"{conv}\u0000"}}"#),
        r#"{"t":"resume","convs":3}"#.to_owned(),
    ];
    let (mut wire, _) = socket(&server).await;
    for (n, text) in texts.into_iter().enumerate() {
        wire.send_text(&text).await.unwrap();
        let expected = if n < 8 { Ok(ErrorCode::Malformed) } else { Err(Gone(Some(4500))) };
        assert_eq!(refusal(&mut wire).await, expected, "{text:.60}");
    }

    let header = |kind: u8, suite: u8, len: usize| [&[b'K', b'1', kind, suite][..], &vec![0; len]].concat();
    let envelopes = [
        (b"hello, this is not sealed".to_vec(), ErrorCode::PlaintextRefused),
        (Vec::new(), ErrorCode::PlaintextRefused),
        (br#"{"t":"text","text":"plain"}"#.to_vec(), ErrorCode::PlaintextRefused),
        (header(1, 2, 400), ErrorCode::Unsupported),
        (header(77, 1, 400), ErrorCode::Unsupported),
        (header(1, 1, 3), ErrorCode::Malformed),
        (header(2, 1, 400), ErrorCode::Malformed),
        (b"K0\0\0".to_vec(), ErrorCode::PlaintextRefused),
        (vec![0xff; 40_000], ErrorCode::PlaintextRefused),
    ];
    let (mut wire, _) = socket(&server).await;
    for (n, (bytes, code)) in envelopes.into_iter().enumerate() {
        wire.send_envelope(bytes.clone()).await.unwrap();
        let expected = if n < 8 { Ok(code) } else { Err(Gone(Some(4500))) };
        assert_eq!(refusal(&mut wire).await, expected, "{:?}", &bytes[..bytes.len().min(30)]);
    }
}

/// Changes a few bytes.
fn spoil(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len());
        match dice.roll(4) {
            0 if !bytes.is_empty() => bytes[at] = dice.roll(256) as u8,
            1 => bytes.truncate(at),
            2 => bytes.insert(at, dice.roll(256) as u8),
            _ => bytes.extend_from_within(..at.min(bytes.len())),
        }
    }
}

#[tokio::test]
async fn thousands_of_spoiled_frames_harm_nobody() {
    let mut dice = Dice::seeded();
    let server = Server::new().await;
    let (mut victim, mut li, conv) = victim(&server).await;
    let key = victim.me.key.clone();
    let sane: Vec<Vec<u8>> = vec![
        victim.view(conv).seal("x", &key).1,
        victim.view(conv).announce(&server.company, "svc", &key),
        format!(r#"{{"t":"resume","convs":[{{"id":"{conv}","have":1}}]}}"#).into_bytes(),
        format!(r#"{{"t":"seen","conv":"{conv}","delivered":18446744073709551615,"read":3}}"#).into_bytes(),
        format!(r#"{{"t":"recall","req":4,"conv":"{conv}","msg":"{conv}"}}"#).into_bytes(),
        format!(r#"{{"t":"transfer","req":5,"conv":"{conv}","agent":"li","team":"svc"}}"#).into_bytes(),
        br#"{"t":"status","req":1,"state":"online"}"#.to_vec(),
        br#"{"t":"open","req":1,"id":"00","nonce":"AA","site":"s1","x":"AA","ann":"AA"}"#.to_vec(),
    ];
    let mut sent = 0;
    while sent < 4_000 {
        let agent = dice.roll(3) == 0;
        let me = if agent { Me::agent(&server.company, "zhou") } else { Me::visitor("s1") };
        let mut wire = Wire::open(server.addr, &me.door).await.unwrap();
        if dice.roll(10) > 0 {
            wire.hello(&me.key, me.side()).await.unwrap();
        }
        for _ in 0..40 {
            let mut bytes = sane[dice.roll(sane.len())].clone();
            spoil(&mut bytes, &mut dice);
            sent += 1;
            let _ = match str::from_utf8(&bytes) {
                Ok(text) if dice.roll(4) > 0 => wire.send_text(text).await,
                _ => wire.send_envelope(&bytes).await,
            };
        }
        if dice.roll(2) == 0 {
            // some wait for the close code, some just disconnect
            assert_eq!(wire.closed().await, Some(4500));
        }
    }
    assert_eq!(ask(server.addr, "GET", "/healthz", &[], "").await.unwrap().status, 200);
    let seq = victim.say(conv, "did you hear something?").await;
    li.record(conv, seq).await;
    let seq = li.say(conv, "no").await;
    victim.record(conv, seq).await;
    assert_eq!(victim.texts(conv), ["between us", "did you hear something?", "no"]);
    assert_eq!(victim.history(conv).await, victim.view(conv).records);
    let admin = Admin::connect(server.company.path(), &Config::default()).await.unwrap();
    let stats = admin.call("GET", "/admin/stats", None).await.unwrap();
    assert!(stats["storage_bytes"].as_u64().unwrap() < 64 * 1024 * 1024, "{stats}");
}
