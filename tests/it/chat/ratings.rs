//! How a conversation went, as its visitor says: stars that the server reads, and words that it doesn't.

use kefu::proto::{ConvState, MsgId};

use super::*;
use crate::support::http::get;

fn rate(conv: ConvId, stars: u8, msg: Option<MsgId>) -> impl FnOnce(u64) -> ClientFrame {
    move |req| ClientFrame::Rate { req, conv, stars, msg }
}

async fn close(visitor: &mut Peer, li: &mut Peer, conv: ConvId) {
    li.ask(|req| ClientFrame::Close { req, conv, reason: None }).await.unwrap();
    visitor.until(conv, |v| v.state == ConvState::Closed).await;
    li.until(conv, |v| v.state == ConvState::Closed).await;
}

fn stars(peer: &mut Peer, conv: ConvId) -> Vec<u8> {
    let all = events(peer, conv);
    all.iter().filter_map(|e| if let Event::Rated { stars } = e { Some(*stars) } else { None }).collect()
}

#[tokio::test]
async fn a_visitor_rates_what_was_closed_and_their_words_do_not_open_it() {
    let server = Server::new().await;
    let (mut visitor, mut li, conv) = talk(&server).await;
    assert_eq!(visitor.ask(rate(conv, 5, None)).await.unwrap_err().0, ErrorCode::Conflict, "it is not over");
    close(&mut visitor, &mut li, conv).await;
    for wrong in [0, 6] {
        assert_eq!(visitor.ask(rate(conv, wrong, None)).await.unwrap_err().0, ErrorCode::Malformed);
    }
    assert_eq!(li.ask(rate(conv, 5, None)).await.unwrap_err().0, ErrorCode::NotFound, "agents rate nobody");
    let mut other = Peer::visitor(&server).await;
    assert_eq!(other.ask(rate(conv, 1, None)).await.unwrap_err().0, ErrorCode::NotFound);

    let key = visitor.me.key.clone();
    let (msg, words) = visitor.view(conv).seal("谢谢，很快", &key);
    visitor.ask(rate(conv, 4, Some(msg))).await.unwrap();
    visitor.ask(rate(conv, 4, Some(msg))).await.expect("twice is once");
    visitor.post(words).await.unwrap();
    li.until(conv, |v| v.said.iter().any(|said| said.text == "谢谢，很快")).await;
    assert_eq!(li.view(conv).state, ConvState::Closed);
    assert_eq!(stars(&mut li, conv), [4]);
    assert_eq!(stars(&mut visitor, conv), [4]);

    // changed, and found by it
    visitor.ask(rate(conv, 2, None)).await.unwrap();
    let found = async |stars: u8| {
        let path = format!("/api/v1/conversations?tab=all&rating={stars}");
        let convs = get(server.addr, &path, &li.token).await.unwrap().json()["convs"].clone();
        convs.as_array().unwrap().iter().map(|c| c["rating"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((found(2).await, found(4).await), (vec![2], vec![]));
    let wrong = get(server.addr, "/api/v1/conversations?tab=all&rating=good", &li.token).await.unwrap();
    assert_eq!(wrong.status, 400);

    // a message that was not announced opens it again, as before
    visitor.say(conv, "one more thing").await;
    assert_eq!(visitor.view(conv).state, ConvState::Open);
    assert_eq!(visitor.ask(rate(conv, 5, None)).await.unwrap_err().0, ErrorCode::Conflict);
}
