//! OPAQUE (RFC 9807) as protocol §5 fixes it: the server never learns a password, the client proves it and gets an export
//! key. The stretching function is compiled in on both sides and never negotiated.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use opaque_ke::{
    CipherSuite, ClientLoginFinishParameters, ClientRegistrationFinishParameters, CredentialFinalization,
    CredentialRequest, CredentialResponse, Identifiers, RegistrationRequest, RegistrationResponse, RegistrationUpload,
    Ristretto255, ServerLoginParameters, ServerRegistration, ServerSetup, TripleDh,
    rand::{self, CryptoRng, RngCore},
};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::sign::random;
use kefu_proto::{OrgFp, UserId};

/// Why a step of registration or login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpaqueError {
    /// Bytes that are no such message, record or setup.
    #[error("malformed OPAQUE message")]
    Malformed,
    /// Wrong password, user, company or server; which of them must not be revealed.
    #[error("wrong user or password")]
    Login,
    /// The server is not the one the directory names.
    #[error("the server's OPAQUE key is not the one in the company's directory")]
    Server,
}

/// The system's generator in the shape that opaque-ke asks for.
struct Rng;

impl CryptoRng for Rng {}

impl RngCore for Rng {
    fn next_u32(&mut self) -> u32 {
        u32::from_ne_bytes(random())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_ne_bytes(random())
    }

    #[expect(clippy::expect_used, reason = "a system without randomness can't hold a secret: the process must end")]
    fn fill_bytes(&mut self, dest: &mut [u8]) {
        SystemRandom::new().fill(dest).expect("the operating system gives no random numbers");
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

/// The cipher suite of the protocol.
pub(super) struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2::Sha512>;
    type Ksf = Argon2<'static>;
}

/// Argon2id, 64 MiB, 3 passes, 4 lanes. The suite's own default would be weaker and fit no other client.
fn ksf() -> Argon2<'static> {
    #[expect(clippy::expect_used, reason = "constants inside argon2's limits")]
    let params = Params::new(65_536, 3, 4, None).expect("valid parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// The stretching function alone, 64 bytes out of `input` (vectors).
pub fn stretch(input: &[u8]) -> Zeroizing<[u8; 64]> {
    let mut out = Zeroizing::new([0; 64]);
    #[expect(clippy::expect_used, reason = "constants inside argon2's limits")]
    ksf().hash_password_into(input, &[0; 16], &mut out[..]).expect("valid lengths");
    out
}

/// The server's name in the protocol.
pub fn server_id(org: &OrgFp) -> String {
    format!("kefu/1 org:{org}")
}

fn ids<'a>(user: &'a UserId, server: &'a str) -> Identifiers<'a> {
    Identifiers { client: Some(user.as_str().as_bytes()), server: Some(server.as_bytes()) }
}

/// The server's long-term OPAQUE secrets. They live in a file of their own, outside database and backups.
#[derive(Clone)]
pub struct OpaqueServer {
    setup: ServerSetup<Suite>,
    org: OrgFp,
}

impl fmt::Debug for OpaqueServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueServer(hidden, org {})", self.org)
    }
}

/// A login between its two steps.
pub struct ServerLogin(opaque_ke::ServerLogin<Suite>);

impl fmt::Debug for ServerLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerLogin(hidden)")
    }
}

impl ServerLogin {
    /// For carrying it to the second step. Secret.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.serialize().to_vec()
    }

    /// What [`ServerLogin::to_bytes`] gave; none if it is something else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        opaque_ke::ServerLogin::deserialize(bytes).ok().map(Self)
    }
}

/// New random server secrets, 128 bytes.
pub fn generate_setup() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(ServerSetup::<Suite>::new(&mut Rng).serialize().to_vec())
}

impl OpaqueServer {
    /// The server of a company, from what [`generate_setup`] made.
    pub fn new(setup: &[u8], org: OrgFp) -> Result<Self, OpaqueError> {
        let setup = ServerSetup::deserialize(setup).map_err(|_| OpaqueError::Malformed)?;
        Ok(Self { setup, org })
    }

    /// The public key in the genesis.
    pub fn public(&self) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(&self.setup.keypair().public().serialize());
        out
    }

    /// Answers the first message of a registration.
    pub fn register_start(&self, user: &UserId, m: &[u8]) -> Result<Vec<u8>, OpaqueError> {
        let m = RegistrationRequest::deserialize(m).map_err(|_| OpaqueError::Malformed)?;
        let r = ServerRegistration::<Suite>::start(&self.setup, m, user.as_str().as_bytes())
            .map_err(|_| OpaqueError::Malformed)?;
        Ok(r.message.serialize().to_vec())
    }

    /// The record to store, from the last message of a registration.
    pub fn register_finish(&self, upload: &[u8]) -> Result<Vec<u8>, OpaqueError> {
        let upload = RegistrationUpload::<Suite>::deserialize(upload).map_err(|_| OpaqueError::Malformed)?;
        Ok(ServerRegistration::finish(upload).serialize().to_vec())
    }

    /// Answers KE1 with KE2. Without a record (no such user) the answer looks the same and no password fits.
    pub fn login_start(
        &self,
        user: &UserId,
        record: Option<&[u8]>,
        ke1: &[u8],
    ) -> Result<(ServerLogin, Vec<u8>), OpaqueError> {
        let ke1 = CredentialRequest::deserialize(ke1).map_err(|_| OpaqueError::Malformed)?;
        let record =
            record.map(ServerRegistration::<Suite>::deserialize).transpose().map_err(|_| OpaqueError::Malformed)?;
        let server = server_id(&self.org);
        let params = ServerLoginParameters { context: None, identifiers: ids(user, &server) };
        let r = opaque_ke::ServerLogin::start(&mut Rng, &self.setup, record, ke1, user.as_str().as_bytes(), params)
            .map_err(|_| OpaqueError::Malformed)?;
        Ok((ServerLogin(r.state), r.message.serialize().to_vec()))
    }

    /// Checks KE3: the user knows their password.
    pub fn login_finish(&self, user: &UserId, login: ServerLogin, ke3: &[u8]) -> Result<(), OpaqueError> {
        let ke3 = CredentialFinalization::deserialize(ke3).map_err(|_| OpaqueError::Malformed)?;
        let server = server_id(&self.org);
        let params = ServerLoginParameters { context: None, identifiers: ids(user, &server) };
        login.0.finish(ke3, params).map(|_| ()).map_err(|_| OpaqueError::Login)
    }
}

/// The client's side of a registration, for the command line and tests.
pub struct ClientRegistration(opaque_ke::ClientRegistration<Suite>);

/// The client's side of a login, for the command line and tests.
pub struct ClientLogin(opaque_ke::ClientLogin<Suite>);

/// The last message of the client, and the key only the client knows.
pub struct ClientFinish {
    /// To the server: the upload of a registration, or KE3.
    pub message: Vec<u8>,
    /// Opens the keyring, 64 bytes.
    pub export_key: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ClientFinish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientFinish(hidden)")
    }
}

impl ClientRegistration {
    /// Starts a registration: the first message.
    pub fn start(password: &str) -> Result<(Self, Vec<u8>), OpaqueError> {
        let r = opaque_ke::ClientRegistration::<Suite>::start(&mut Rng, password.as_bytes())
            .map_err(|_| OpaqueError::Malformed)?;
        Ok((Self(r.state), r.message.serialize().to_vec()))
    }

    /// The last message. `server_pk` is the OPAQUE key in the directory.
    pub fn finish(
        self,
        password: &str,
        m: &[u8],
        user: &UserId,
        org: &OrgFp,
        server_pk: &[u8; 32],
    ) -> Result<ClientFinish, OpaqueError> {
        let m = RegistrationResponse::deserialize(m).map_err(|_| OpaqueError::Malformed)?;
        let (server, ksf) = (server_id(org), ksf());
        let params = ClientRegistrationFinishParameters::new(ids(user, &server), Some(&ksf));
        let r = self.0.finish(&mut Rng, password.as_bytes(), m, params).map_err(|_| OpaqueError::Malformed)?;
        if r.server_s_pk.serialize()[..] != server_pk[..] {
            return Err(OpaqueError::Server);
        }
        Ok(ClientFinish { message: r.message.serialize().to_vec(), export_key: Zeroizing::new(r.export_key.to_vec()) })
    }
}

impl ClientLogin {
    /// Starts a login: KE1.
    pub fn start(password: &str) -> Result<(Self, Vec<u8>), OpaqueError> {
        let r = opaque_ke::ClientLogin::<Suite>::start(&mut Rng, password.as_bytes())
            .map_err(|_| OpaqueError::Malformed)?;
        Ok((Self(r.state), r.message.serialize().to_vec()))
    }

    /// KE3 and the export key, if the password fits.
    pub fn finish(
        self,
        password: &str,
        ke2: &[u8],
        user: &UserId,
        org: &OrgFp,
        server_pk: &[u8; 32],
    ) -> Result<ClientFinish, OpaqueError> {
        let ke2 = CredentialResponse::deserialize(ke2).map_err(|_| OpaqueError::Malformed)?;
        let (server, ksf) = (server_id(org), ksf());
        let params = ClientLoginFinishParameters::new(None, ids(user, &server), Some(&ksf));
        let r = self.0.finish(&mut Rng, password.as_bytes(), ke2, params).map_err(|_| OpaqueError::Login)?;
        if r.server_s_pk.serialize()[..] != server_pk[..] {
            return Err(OpaqueError::Server);
        }
        Ok(ClientFinish { message: r.message.serialize().to_vec(), export_key: Zeroizing::new(r.export_key.to_vec()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORG: OrgFp = OrgFp([5; 16]);

    fn server() -> OpaqueServer {
        OpaqueServer::new(&generate_setup(), ORG).unwrap()
    }

    fn user() -> UserId {
        "li".parse().unwrap()
    }

    /// Registers; the record and the export key.
    fn register(server: &OpaqueServer, password: &str) -> (Vec<u8>, Vec<u8>) {
        let (state, m) = ClientRegistration::start(password).unwrap();
        let m = server.register_start(&user(), &m).unwrap();
        let done = state.finish(password, &m, &user(), &ORG, &server.public()).unwrap();
        (server.register_finish(&done.message).unwrap(), done.export_key.to_vec())
    }

    #[test]
    fn registered_and_logged_in_with_one_export_key_of_the_sizes_browsers_know() {
        let setup = generate_setup();
        let server = OpaqueServer::new(&setup, ORG).unwrap();
        let (record, export_key) = register(&server, "密码");
        let (state, ke1) = ClientLogin::start("密码").unwrap();
        let (pending, ke2) = server.login_start(&user(), Some(&record), &ke1).unwrap();
        assert_eq!((setup.len(), record.len(), ke2.len(), export_key.len()), (128, 192, 320, 64));
        let done = state.finish("密码", &ke2, &user(), &ORG, &server.public()).unwrap();
        assert_eq!(done.export_key.to_vec(), export_key);
        assert_eq!(server.login_finish(&user(), pending, &done.message), Ok(()));
    }

    #[test]
    fn wrong_password_user_company_or_server_fail() {
        let server = server();
        let (record, _) = register(&server, "right");
        let attempt = |password: &str, record: Option<&[u8]>, user: &UserId, org: &OrgFp, pk: &[u8; 32]| {
            let (state, ke1) = ClientLogin::start(password).unwrap();
            let (_, ke2) = server.login_start(&self::user(), record, &ke1).unwrap();
            state.finish(password, &ke2, user, org, pk).map(|_| ())
        };
        let (li, wu, pk) = (user(), "wu".parse().unwrap(), server.public());
        let record = Some(&record[..]);
        assert_eq!(attempt("right", record, &li, &ORG, &pk), Ok(()));
        assert_eq!(attempt("wrong", record, &li, &ORG, &pk), Err(OpaqueError::Login));
        assert_eq!(attempt("right", None, &li, &ORG, &pk), Err(OpaqueError::Login), "no such user");
        assert_eq!(attempt("right", record, &wu, &ORG, &pk), Err(OpaqueError::Login), "another user id");
        assert_eq!(attempt("right", record, &li, &OrgFp([6; 16]), &pk), Err(OpaqueError::Login), "another company");
        assert_eq!(attempt("right", record, &li, &ORG, &[1; 32]), Err(OpaqueError::Server));
    }

    #[test]
    fn another_stretching_function_fails() {
        let server = server();
        let (record, _) = register(&server, "right");
        let (state, ke1) = ClientLogin::start("right").unwrap();
        let (_, ke2) = server.login_start(&user(), Some(&record), &ke1).unwrap();
        let ke2 = CredentialResponse::deserialize(&ke2).unwrap();
        let (user, id) = (user(), server_id(&ORG));
        // none given: the suite's own default
        let params = ClientLoginFinishParameters::new(None, ids(&user, &id), None);
        assert!(state.0.finish(&mut Rng, b"right", ke2, params).is_err());
    }

    #[test]
    fn a_login_does_not_finish_with_other_bytes() {
        let server = server();
        let (record, _) = register(&server, "right");
        let (state, ke1) = ClientLogin::start("right").unwrap();
        let (pending, ke2) = server.login_start(&user(), Some(&record), &ke1).unwrap();
        let mut ke3 = state.finish("right", &ke2, &user(), &ORG, &server.public()).unwrap().message;
        ke3[5] ^= 1;
        assert_eq!(server.login_finish(&user(), pending, &ke3), Err(OpaqueError::Login));
        for junk in [&b""[..], b"short", &[0xff; 500]] {
            assert_eq!(server.login_start(&user(), None, junk).unwrap_err(), OpaqueError::Malformed);
            assert_eq!(server.register_start(&user(), junk), Err(OpaqueError::Malformed));
            assert_eq!(server.register_finish(junk), Err(OpaqueError::Malformed));
            assert_eq!(OpaqueServer::new(junk, ORG).unwrap_err(), OpaqueError::Malformed);
        }
    }
}
