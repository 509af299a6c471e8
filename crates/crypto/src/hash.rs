//! The hashes of protocol §1, each with its own label. No keys, no policy.

use ring::digest::{Context, SHA256};

use kefu_proto::{ConvId, Kid, MESSAGE_HEADER, Mark, OrgFp, RECORD_HEADER, SiteId};

/// What kind of reader a box is for; part of the box kid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BoxKind {
    /// The team's key.
    Team = 1,
    /// The visitor's key.
    Visitor = 2,
    /// The robot's key.
    Bot = 3,
    /// A person's own key, in documents that only they have.
    Agent = 4,
}

/// `H(label, p1, p2 …)`: SHA-256 over the label and each part with its length before it.
pub fn h(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut ctx = Context::new(&SHA256);
    ctx.update(b"kefu/1 ");
    ctx.update(label.as_bytes());
    ctx.update(&[0]);
    for part in parts {
        ctx.update(&(part.len() as u32).to_be_bytes());
        ctx.update(part);
    }
    let mut out = [0; 32];
    out.copy_from_slice(ctx.finish().as_ref());
    out
}

fn h16(label: &str, parts: &[&[u8]]) -> [u8; 16] {
    let mut out = [0; 16];
    out.copy_from_slice(&h(label, parts)[..16]);
    out
}

/// Fingerprint of the company's root key.
pub fn org_fp(root: &[u8; 32]) -> OrgFp {
    OrgFp(h16("org", &[root]))
}

/// The fingerprint as people see it: `k1-` and 32 hex digits.
pub fn org_fp_text(fp: &OrgFp) -> String {
    format!("k1-{fp}")
}

/// Reads what [`org_fp_text`] prints.
pub fn parse_org_fp(text: &str) -> Option<OrgFp> {
    text.trim().strip_prefix("k1-")?.parse().ok()
}

/// Kid of an Ed25519 key.
pub fn kid(ed: &[u8; 32]) -> Kid {
    Kid(h16("kid", &[ed]))
}

/// Kid of an X25519 key in a box.
pub fn box_kid(kind: BoxKind, x: &[u8; 32]) -> [u8; 16] {
    h16("boxkid", &[&[kind as u8], x])
}

/// A conversation's id, from what its visitor committed to.
pub fn conv_id(nonce: &[u8; 16], org: &OrgFp, site: &SiteId, ed: &[u8; 32], x: &[u8; 32]) -> ConvId {
    ConvId(h16("conv", &[nonce, &org.0, site.as_str().as_bytes(), ed, x]))
}

/// Commitment to an epoch's key.
pub fn commitment(conv: &ConvId, epoch: u32, ek: &[u8; 32]) -> [u8; 32] {
    h("ek-commit", &[&conv.0, &epoch.to_be_bytes(), ek])
}

/// Hash of a whole announcement, named by the one after it.
pub fn announcement(bytes: &[u8]) -> [u8; 32] {
    h("ann-hash", &[bytes])
}

/// Hash of a whole envelope, named by the next message's `prev`.
pub fn envelope(bytes: &[u8]) -> [u8; 16] {
    h16("env", &[bytes])
}

/// Mark of a record in the form of the socket (`seq ‖ at ‖ body`): its place, its time and what a recall leaves of it.
pub fn mark(frame: &[u8]) -> Mark {
    let (place, body) = frame.split_at(frame.len().min(RECORD_HEADER));
    let end = body.len().min(MESSAGE_HEADER);
    let mut ctx = Context::new(&SHA256);
    ctx.update(place);
    ctx.update(&body[end.min(4)..end]);
    let mut out = [0; 8];
    out.copy_from_slice(&ctx.finish().as_ref()[..8]);
    Mark(out)
}

/// Hash of a directory entry: the chain.
pub fn entry(raw: &[u8], signer: &[u8; 32], sig: &[u8]) -> [u8; 32] {
    h("dir-hash", &[raw, signer, sig])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(h("x", &[b"ab", b"c"]), h("x", &[b"a", b"bc"]));
        assert_ne!(h("x", &[b"a"]), h("x", &[b"a", b""]));
        assert_ne!(h("x", &[]), h("y", &[]));
    }

    #[test]
    fn a_mark_is_of_place_and_header() {
        let frame: Vec<u8> = (0..200).collect();
        let whole = mark(&frame);
        for (at, same) in [(0, false), (15, false), (16, true), (19, true), (20, false), (95, false), (96, true)] {
            let mut other = frame.clone();
            other[at] ^= 1;
            assert_eq!(mark(&other) == whole, same, "byte {at}");
        }
        assert_eq!(mark(&frame[..96]), whole, "a tombstone");
        for len in [0, 16, 18, 20, 40, 96] {
            mark(&frame[..len]);
        }
        assert_ne!(mark(&frame[..40]), whole);
    }

    #[test]
    fn a_fingerprint_reads_what_it_prints() {
        let fp = org_fp(&[7; 32]);
        assert_eq!(parse_org_fp(&format!(" {}\n", org_fp_text(&fp))), Some(fp));
        assert_eq!(parse_org_fp(&fp.to_string()), None);
    }
}
