//! Signing in: the server asks for a signature over something random, and greets who can give it (protocol §4).

use bytes::Bytes;
use kefu_crypto::{
    codec::{self, CodecError},
    sign::{Label, SigningKey},
};
use kefu_proto::{ClientFrame, OrgFp, REVISION, ServerFrame, Side};

use crate::{
    error::ClientError,
    frame::opcode,
    socket::{Closed, Socket},
};

/// The `hello` that answers a challenge of this company (protocol §4).
pub fn hello(org: &OrgFp, side: Side, key: &SigningKey, nonce: &str) -> Result<ClientFrame, CodecError> {
    let role = match side {
        Side::Agent => 1,
        Side::Visitor => 2,
    };
    let signed = [&codec::from_b64u(nonce)?[..], &org.0, &[role]].concat();
    let sig = codec::b64u(&key.sign(Label::Auth, &signed));
    Ok(ClientFrame::Hello { v: 1, ed: codec::b64u(&key.public()), sig, rev: Some(REVISION) })
}

impl Socket {
    /// Answers the challenge of this company; returns the welcome as it was sent. No other frame precedes it.
    pub async fn sign_in(&mut self, org: &OrgFp, side: Side, key: &SigningKey) -> Result<Bytes, ClientError> {
        let challenge = self.text().await?;
        let nonce = match serde_json::from_slice(&challenge) {
            Ok(ServerFrame::Challenge { nonce, .. }) => nonce,
            Ok(other) => return Err(ClientError::Protocol(format!("{other:?} instead of a challenge"))),
            Err(e) => return Err(ClientError::Protocol(e.to_string())),
        };
        let hello = hello(org, side, key, &nonce).map_err(|e| ClientError::Protocol(e.to_string()))?;
        self.send(&hello).await.map_err(ClientError::Socket)?;
        self.text().await
    }

    /// The next text frame.
    async fn text(&mut self) -> Result<Bytes, ClientError> {
        loop {
            let (opcode, payload) = self.next_message().await.map_err(|Closed(code)| ClientError::Closed(code))?;
            if opcode == opcode::TEXT {
                return Ok(payload);
            }
        }
    }
}
