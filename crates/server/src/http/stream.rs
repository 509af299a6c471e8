//! A body that is made while it is sent: a dump of the database is never in memory as a whole.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    Response,
    body::{Frame, SizeHint},
};
use tokio::sync::mpsc;

use super::answer::{Answer, Body, CutOff};

/// The body of an answer of the admin router.
pub enum MaybeStream {
    /// It is in memory.
    Whole(Body),
    /// Its pieces come one by one. Whoever makes them says in them whether they are complete.
    Stream(mpsc::Receiver<Bytes>),
}

impl MaybeStream {
    /// An answer that is in memory.
    pub fn whole(answer: Answer) -> Response<Self> {
        answer.map(Self::Whole)
    }

    /// An answer whose pieces come later.
    pub fn of(pieces: mpsc::Receiver<Bytes>) -> Response<Self> {
        Response::new(Self::Stream(pieces))
    }
}

impl hyper::body::Body for MaybeStream {
    type Data = Bytes;
    type Error = CutOff;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(cx),
            Self::Stream(pieces) => pieces.poll_recv(cx).map(|piece| piece.map(|piece| Ok(Frame::data(piece)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Stream(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
