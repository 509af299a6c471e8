//! OPAQUE against the test vectors of RFC 9807, appendix C: C.1.1 and C.1.2 (real) and C.2.1 (fake). The numbers are the
//! RFC's (`tests/data/rfc9807.json`); every message, session key and export key must come out as printed there.
//!
//! Group, hash and key exchange are taken from our own suite by type. Ours differs by the stretching function alone,
//! Argon2id where the vectors have Identity; and it always names both parties, with an empty context.
//!
//! The library shows only what it sends or returns. Of the RFC's intermediate values `client_public_key` and `envelope`
//! are compared as parts of the upload; the others (`oprf_key`, `randomized_password`, `auth_key`, `handshake_secret` and
//! the two MAC keys) only by what follows from them.

use std::{collections::VecDeque, ops::Deref};

use data_encoding::HEXLOWER;
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters,
    CredentialFinalization, CredentialRequest, CredentialResponse, Identifiers, RegistrationRequest,
    RegistrationResponse, RegistrationUpload, Ristretto255, ServerLogin, ServerLoginParameters, ServerRegistration,
    ServerSetup,
    keypair::PrivateKey,
    ksf::Identity,
    rand::{self, CryptoRng, RngCore},
};
use serde::{Deserialize, Deserializer, de::Error};

use crate::opaque::Suite;

/// Our suite with the vectors' stretching function.
struct RfcSuite;

impl CipherSuite for RfcSuite {
    type OprfCs = <Suite as CipherSuite>::OprfCs;
    type KeyExchange = <Suite as CipherSuite>::KeyExchange;
    type Ksf = Identity;
}

/// Bytes that are hex in the file.
struct Hex(Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        HEXLOWER.decode(String::deserialize(d)?.as_bytes()).map(Self).map_err(D::Error::custom)
    }
}

impl Deref for Hex {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

#[derive(Deserialize)]
struct File {
    context: Hex,
    real: Vec<Real>,
    fake: Vec<Fake>,
}

/// A registration and a login. The names are the RFC's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Real {
    section: String,
    client_identity: Option<Hex>,
    server_identity: Option<Hex>,
    oprf_seed: Hex,
    credential_identifier: Hex,
    password: Hex,
    envelope_nonce: Hex,
    masking_nonce: Hex,
    server_private_key: Hex,
    server_public_key: Hex,
    server_nonce: Hex,
    client_nonce: Hex,
    client_keyshare_seed: Hex,
    server_keyshare_seed: Hex,
    blind_registration: Hex,
    blind_login: Hex,
    registration_request: Hex,
    registration_response: Hex,
    registration_upload: Hex,
    #[serde(rename = "KE1")]
    ke1: Hex,
    #[serde(rename = "KE2")]
    ke2: Hex,
    #[serde(rename = "KE3")]
    ke3: Hex,
    export_key: Hex,
    session_key: Hex,
}

/// The server's answer for a user who never registered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fake {
    section: String,
    client_identity: Hex,
    server_identity: Hex,
    oprf_seed: Hex,
    credential_identifier: Hex,
    masking_nonce: Hex,
    client_private_key: Hex,
    client_public_key: Hex,
    server_private_key: Hex,
    server_public_key: Hex,
    server_nonce: Hex,
    server_keyshare_seed: Hex,
    masking_key: Hex,
    #[serde(rename = "KE1")]
    ke1: Hex,
    #[serde(rename = "KE2")]
    ke2: Hex,
}

fn file() -> File {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/rfc9807.json");
    serde_json::from_str(&std::fs::read_to_string(path).expect("tests/data/rfc9807.json")).unwrap()
}

/// A generator that hands out what a vector says, one value per draw, each of exactly the length asked for.
struct Script(VecDeque<Vec<u8>>);

impl CryptoRng for Script {}

impl RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        panic!("the vectors hold strings, no numbers")
    }

    fn next_u64(&mut self) -> u64 {
        panic!("the vectors hold strings, no numbers")
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        dest.copy_from_slice(&self.0.pop_front().expect("one draw more than the vector has values"));
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

/// Runs one step, which must draw all of `values` in this order and nothing else.
fn drawing<T>(values: &[&[u8]], step: impl FnOnce(&mut Script) -> T) -> T {
    let mut rng = Script(values.iter().map(|v| v.to_vec()).collect());
    let out = step(&mut rng);
    assert!(rng.0.is_empty(), "{} values not drawn", rng.0.len());
    out
}

/// The draw that becomes this blind: the library reduces 64 little-endian bytes modulo the group's order, and a blind is
/// below it already.
fn wide(blind: &[u8]) -> Vec<u8> {
    [blind, &[0; 32]].concat()
}

fn same(section: &str, what: &str, got: impl AsRef<[u8]>, want: &[u8]) {
    assert_eq!(HEXLOWER.encode(got.as_ref()), HEXLOWER.encode(want), "{section}: {what}");
}

/// A server with these secrets; `dummy` is the public key of users who don't exist.
fn server(oprf_seed: &[u8], private_key: &[u8], dummy: &[u8]) -> ServerSetup<RfcSuite> {
    ServerSetup::deserialize(&[oprf_seed, private_key, dummy].concat()).unwrap()
}

#[test]
fn real_vectors_of_the_rfc() {
    let file = file();
    assert_eq!(file.real.iter().map(|v| v.client_identity.is_some()).collect::<Vec<_>>(), [false, true]);
    for v in &file.real {
        registers(v);
        logs_in(v, &file.context);
    }
}

fn identities(v: &Real) -> Identifiers<'_> {
    Identifiers { client: v.client_identity.as_deref(), server: v.server_identity.as_deref() }
}

fn registers(v: &Real) {
    let s = &v.section;
    let server = server(&v.oprf_seed, &v.server_private_key, &v.server_public_key);
    same(s, "server_public_key", server.keypair().public().serialize(), &v.server_public_key);

    let blind = wide(&v.blind_registration);
    let client = drawing(&[&blind], |rng| ClientRegistration::<RfcSuite>::start(rng, &v.password)).unwrap();
    same(s, "registration_request", client.message.serialize(), &v.registration_request);

    let request = RegistrationRequest::deserialize(&v.registration_request).unwrap();
    let response = ServerRegistration::<RfcSuite>::start(&server, request, &v.credential_identifier).unwrap();
    same(s, "registration_response", response.message.serialize(), &v.registration_response);

    let response = RegistrationResponse::deserialize(&v.registration_response).unwrap();
    let params = ClientRegistrationFinishParameters::new(identities(v), None);
    let done = drawing(&[&v.envelope_nonce], |rng| client.state.finish(rng, &v.password, response, params)).unwrap();
    same(s, "registration_upload", done.message.serialize(), &v.registration_upload);
    same(s, "export_key of the registration", done.export_key, &v.export_key);
    same(s, "server_public_key of the registration", done.server_s_pk.serialize(), &v.server_public_key);
}

fn logs_in(v: &Real, context: &[u8]) {
    let s = &v.section;
    let server = server(&v.oprf_seed, &v.server_private_key, &v.server_public_key);
    let upload = RegistrationUpload::<RfcSuite>::deserialize(&v.registration_upload).unwrap();
    let record = ServerRegistration::finish(upload);

    let blind = wide(&v.blind_login);
    let draws: [&[u8]; 3] = [&blind, &v.client_keyshare_seed, &v.client_nonce];
    let client = drawing(&draws, |rng| ClientLogin::<RfcSuite>::start(rng, &v.password)).unwrap();
    same(s, "KE1", client.message.serialize(), &v.ke1);

    // a masking key is drawn for every login, and used only where there is no record
    let draws: [&[u8]; 4] = [&[0xaa; 64], &v.masking_nonce, &v.server_keyshare_seed, &v.server_nonce];
    let ke1 = CredentialRequest::deserialize(&v.ke1).unwrap();
    let params = || ServerLoginParameters { context: Some(context), identifiers: identities(v) };
    let login =
        drawing(&draws, |rng| ServerLogin::start(rng, &server, Some(record), ke1, &v.credential_identifier, params()));
    let login = login.unwrap();
    same(s, "KE2", login.message.serialize(), &v.ke2);

    let ke2 = CredentialResponse::deserialize(&v.ke2).unwrap();
    let finish = ClientLoginFinishParameters::new(Some(context), identities(v), None);
    let done = drawing(&[], |rng| client.state.finish(rng, &v.password, ke2, finish)).unwrap();
    same(s, "KE3", done.message.serialize(), &v.ke3);
    same(s, "session_key of the client", done.session_key, &v.session_key);
    same(s, "export_key of the login", done.export_key, &v.export_key);
    same(s, "server_public_key of the login", done.server_s_pk.serialize(), &v.server_public_key);

    let ke3 = CredentialFinalization::deserialize(&v.ke3).unwrap();
    let done = login.state.finish(ke3, params()).unwrap();
    same(s, "session_key of the server", done.session_key, &v.session_key);
}

#[test]
fn fake_vector_of_the_rfc() {
    let file = file();
    assert_eq!(file.fake.len(), 1);
    for v in &file.fake {
        let s = &v.section;
        let client = PrivateKey::<Ristretto255>::deserialize(&v.client_private_key).unwrap();
        same(s, "client_public_key", client.public_key().serialize(), &v.client_public_key);
        let server = server(&v.oprf_seed, &v.server_private_key, &v.client_public_key);
        same(s, "server_public_key", server.keypair().public().serialize(), &v.server_public_key);

        let draws: [&[u8]; 4] = [&v.masking_key, &v.masking_nonce, &v.server_keyshare_seed, &v.server_nonce];
        let ke1 = CredentialRequest::deserialize(&v.ke1).unwrap();
        let identifiers = Identifiers { client: Some(&v.client_identity), server: Some(&v.server_identity) };
        let params = ServerLoginParameters { context: Some(&file.context), identifiers };
        let login = drawing(&draws, |rng| {
            ServerLogin::<RfcSuite>::start(rng, &server, None, ke1, &v.credential_identifier, params)
        });
        same(s, "KE2", login.unwrap().message.serialize(), &v.ke2);
    }
}
