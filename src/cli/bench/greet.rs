//! From nothing to `welcome`: the WebSocket handshake, the challenge and its answer.

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

use super::terms::{PATIENCE, PeerError, Target, Welcome, Who, broken, json};
use crate::{
    crypto::{codec, directory::Directory, keyring::Keyring, sign::Label},
    proto::{ClientFrame, MAX_ENVELOPE, SUBPROTOCOL, ServerFrame},
};

/// Path of the socket of a client.
pub fn path_of(who: &Who) -> String {
    match who {
        Who::Visitor(site) => format!("/api/v1/ws/site/{site}"),
        Who::Agent(_) => "/api/v1/ws/agent".to_owned(),
    }
}

/// The `hello` that answers a challenge.
pub fn hello(directory: &Directory, who: &Who, keys: &Keyring, nonce: &str) -> Result<ClientFrame, PeerError> {
    let nonce = codec::from_b64u(nonce).map_err(|e| PeerError::Protocol(e.to_string()))?;
    let role = match who {
        Who::Agent(_) => 1,
        Who::Visitor(_) => 2,
    };
    let signed = [&nonce[..], &directory.fp().0, &[role]].concat();
    let sig = codec::b64u(&keys.signing.sign(Label::Auth, &signed));
    Ok(ClientFrame::Hello { v: 1, ed: codec::b64u(&keys.signing.public()), sig })
}

/// Connects, answers the challenge, and reads the welcome.
pub(super) async fn greet(
    target: &Target,
    who: &Who,
    keys: &Keyring,
) -> Result<(WebSocketStream<TcpStream>, Welcome), PeerError> {
    let all = async {
        let failed = |e| PeerError::Connect(target.address, e);
        let stream = TcpStream::connect(target.address).await.map_err(failed)?;
        stream.set_nodelay(true).map_err(failed)?;
        let url = format!("ws://{}{}", target.address, path_of(who));
        let mut request = url.into_client_request().map_err(broken)?;
        request.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static(SUBPROTOCOL));
        if let Some(origin) = &target.origin {
            let origin = HeaderValue::from_str(origin).map_err(|e| PeerError::Protocol(e.to_string()))?;
            request.headers_mut().insert("origin", origin);
        }
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(4096)
            .max_message_size(Some(4 * MAX_ENVELOPE));
        let (mut socket, _) = client_async_with_config(request, stream, Some(config)).await.map_err(broken)?;
        let nonce = match frame(&mut socket).await? {
            ServerFrame::Challenge { nonce, org, .. } if org == target.directory.fp().to_string() => nonce,
            other => return Err(PeerError::Protocol(format!("{other:?} instead of our company's challenge"))),
        };
        let hello = hello(&target.directory, who, keys, &nonce)?;
        socket.send(Message::text(json(&hello)?)).await.map_err(broken)?;
        match frame(&mut socket).await? {
            ServerFrame::Welcome { token, convs, beat, .. } => Ok((socket, Welcome { token, convs, beat })),
            other => Err(PeerError::Protocol(format!("{other:?} instead of a welcome"))),
        }
    };
    timeout(PATIENCE, all).await.map_err(|_| PeerError::Silence("a welcome"))?
}

async fn frame(socket: &mut WebSocketStream<TcpStream>) -> Result<ServerFrame, PeerError> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return serde_json::from_str(&text).map_err(|e| PeerError::Protocol(format!("{e}: {text}")));
            }
            Some(Ok(Message::Close(frame))) => return Err(PeerError::Closed(frame.map(|f| f.code.into()))),
            Some(Ok(_)) => {}
            Some(Err(e)) => return Err(broken(e)),
            None => return Err(PeerError::Closed(None)),
        }
    }
}
