//! Sealing: AES-256-GCM under a key of the repository's own.

use std::fmt;

use aws_lc_rs::{
    aead::{
        AES_256_GCM, AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, RandomizedNonceKey,
        UnboundKey,
    },
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Salt},
};
use base64::Engine as _;
use chaffinch_core::{RepoId, SourceBytes, StoreError};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

use crate::config::refused;

const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;
/// Version, expiry, nonce: what stands before the sealed bytes.
const HEADER: usize = 1 + 8 + NONCE_LEN;
const VERSION: u8 = 1;
const VALUE_LABEL: &[u8] = b"chaffinch store value v1";
const NAME_LABEL: &[u8] = b"chaffinch store name v1";

/// Holds the operator's key. What is stored can be read only with it and with the salt of its
/// repository, which lies in the store: destroying the salt destroys the repository's data.
pub struct Sealer {
    current: Zeroizing<Vec<u8>>,
    previous: Option<Zeroizing<Vec<u8>>>,
}

impl Sealer {
    /// Takes the key that seals (at least 32 random bytes in hexadecimal or base64) and, while it
    /// is being rotated, the one before, which still opens.
    ///
    /// # Errors
    /// [`StoreError::Refused`] if a key is too short, or is neither hexadecimal nor base64.
    pub fn new(master: &SecretString, previous: Option<&SecretString>) -> Result<Self, StoreError> {
        let previous = previous.map(|key| master_key(key.expose_secret())).transpose()?;
        Ok(Self { current: master_key(master.expose_secret())?, previous })
    }

    /// The keys of a repository: the one that seals first, then the one that only opens.
    pub(crate) fn keys(&self, repo: &RepoId, salt: &[u8]) -> Result<Vec<RepoKeys>, StoreError> {
        self.keys_of(&repo.key(), salt)
    }

    /// The same, of the repository whose [`RepoId::key`] this is.
    pub(crate) fn keys_of(&self, repo: &str, salt: &[u8]) -> Result<Vec<RepoKeys>, StoreError> {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .map(|master| RepoKeys::derive(master, repo, salt))
            .collect::<Result<_, _>>()
            .map_err(|Unspecified| StoreError::Other("deriving a key failed".into()))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer(..)")
    }
}

fn master_key(text: &str) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

    let text = text.trim();
    let bare = text.trim_end_matches('=');
    let bytes = hex::decode(text)
        .or_else(|_| STANDARD_NO_PAD.decode(bare))
        .or_else(|_| URL_SAFE_NO_PAD.decode(bare))
        .map(Zeroizing::new)
        .map_err(|_| refused("the store's key is neither hexadecimal nor base64"))?;
    if bytes.len() < KEY_BYTES || bytes.iter().all(|byte| *byte == bytes[0]) {
        return Err(refused(
            "the store's key must be at least 32 random bytes; `openssl rand -hex 32` makes one",
        ));
    }
    Ok(bytes)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The keys that one repository's values and their names are sealed with.
pub(crate) struct RepoKeys {
    repo: String,
    value: RandomizedNonceKey,
    name: LessSafeKey,
}

impl RepoKeys {
    fn derive(master: &[u8], repo: &str, salt: &[u8]) -> Result<Self, Unspecified> {
        let repo = repo.to_owned();
        let secret = Salt::new(HKDF_SHA256, salt).extract(master);
        let key = |label: &[u8]| {
            let mut bytes = Zeroizing::new([0; KEY_BYTES]);
            let info = [label, repo.as_bytes()];
            secret.expand(&info, Length(KEY_BYTES))?.fill(bytes.as_mut_slice())?;
            Ok::<_, Unspecified>(bytes)
        };
        let value = RandomizedNonceKey::new(&AES_256_GCM, key(VALUE_LABEL)?.as_slice())?;
        let name = UnboundKey::new(&AES_256_GCM_SIV, key(NAME_LABEL)?.as_slice())?;
        Ok(Self { repo, value, name: LessSafeKey::new(name) })
    }

    /// Seals `value` for its place and until `expires` (milliseconds since 1970).
    pub(crate) fn seal(
        &self,
        kind: &str,
        name: &str,
        expires: i64,
        value: &[u8],
    ) -> Result<Vec<u8>, StoreError> {
        // Sized at once: a vector that grows would leave a copy of the text behind.
        let mut sealed = Vec::with_capacity(HEADER + value.len() + TAG_BYTES);
        sealed.push(VERSION);
        sealed.extend_from_slice(&expires.to_be_bytes());
        sealed.resize(HEADER, 0);
        sealed.extend_from_slice(value);
        let place = self.place(kind, name, expires);
        let (nonce, tag) = self
            .value
            .seal_in_place_separate_tag(Aad::from(place), &mut sealed[HEADER..])
            .map_err(|Unspecified| StoreError::Other("sealing failed".into()))?;
        sealed[HEADER - NONCE_LEN..HEADER].copy_from_slice(nonce.as_ref());
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// The value and when it expires; `None` if it was not sealed for this place by this key.
    pub(crate) fn open(
        &self,
        kind: &str,
        name: &str,
        mut sealed: Vec<u8>,
    ) -> Option<(i64, SourceBytes)> {
        if sealed.len() < HEADER + TAG_BYTES || sealed[0] != VERSION {
            return None;
        }
        let expires = i64::from_be_bytes(sealed[1..9].try_into().ok()?);
        let nonce = Nonce::try_assume_unique_for_key(&sealed[9..HEADER]).ok()?;
        let place = self.place(kind, name, expires);
        let length =
            self.value.open_in_place(nonce, Aad::from(place), &mut sealed[HEADER..]).ok()?.len();
        sealed.copy_within(HEADER..HEADER + length, 0);
        sealed.truncate(length);
        Some((expires, SourceBytes::new(sealed)))
    }

    /// Seals a name. The same name gives the same bytes, so that it can be looked up: a fixed
    /// nonce, which AES-GCM-SIV is made to stand.
    pub(crate) fn seal_name(&self, kind: &str, name: &str) -> Result<Vec<u8>, StoreError> {
        let mut sealed = name.as_bytes().to_vec();
        self.name
            .seal_in_place_append_tag(fixed_nonce(), Aad::from(kind), &mut sealed)
            .map_err(|Unspecified| StoreError::Other("sealing failed".into()))?;
        Ok(sealed)
    }

    /// The name, if this key sealed it.
    pub(crate) fn open_name(&self, kind: &str, sealed: &[u8]) -> Option<String> {
        let mut name = sealed.to_vec();
        let opened = self.name.open_in_place(fixed_nonce(), Aad::from(kind), &mut name).ok()?;
        String::from_utf8(opened.to_vec()).ok()
    }

    /// What a sealed value is bound to. Each part is preceded by its length, so that no two places
    /// give the same bytes.
    fn place(&self, kind: &str, name: &str, expires: i64) -> Vec<u8> {
        let mut place = vec![VERSION];
        for part in [self.repo.as_str(), kind, name] {
            place.extend_from_slice(&(part.len() as u64).to_be_bytes());
            place.extend_from_slice(part.as_bytes());
        }
        place.extend_from_slice(&expires.to_be_bytes());
        place
    }
}

fn fixed_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use chaffinch_core::{ForgeKind, RepoName};
    use proptest::prelude::*;

    use super::*;

    fn repo(installation: u64) -> RepoId {
        let name = RepoName::new("acme/shop").unwrap();
        RepoId { forge: ForgeKind::GitHub, installation, id: 2, name }
    }

    fn secret(seed: u8) -> SecretString {
        hex::encode((seed..seed + 32).collect::<Vec<_>>()).into()
    }

    fn keys(installation: u64, salt: &[u8]) -> RepoKeys {
        Sealer::new(&secret(0), None).unwrap().keys(&repo(installation), salt).unwrap().remove(0)
    }

    #[test]
    fn a_key_may_be_hexadecimal_or_base64_but_not_short() {
        let bytes: Vec<u8> = (0..32).collect();
        use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
        for good in [hex::encode(&bytes), STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            assert_eq!(*master_key(&good).unwrap(), bytes);
        }
        let short = hex::encode(&bytes[..31]);
        for bad in ["", "password", "not a key at all, whatever it says!", &short, &"0".repeat(64)]
        {
            assert!(matches!(master_key(bad), Err(StoreError::Refused(_))), "{bad}");
        }
    }

    #[test]
    fn a_value_opens_only_at_its_place() {
        let here = keys(1, b"salt");
        let sealed = here.seal("answer", "k", 5, b"sentinel").unwrap();
        assert!(!sealed.windows(8).any(|w| w == b"sentinel"));
        let (expires, value) = here.open("answer", "k", sealed.clone()).unwrap();
        assert_eq!((expires, value.expose()), (5, b"sentinel".as_slice()));

        assert!(here.open("record", "k", sealed.clone()).is_none());
        assert!(here.open("answer", "k2", sealed.clone()).is_none());
        assert!(keys(2, b"salt").open("answer", "k", sealed.clone()).is_none());
        assert!(keys(1, b"pepper").open("answer", "k", sealed).is_none());
    }

    #[test]
    fn the_same_value_is_never_sealed_the_same_way_twice() {
        let keys = keys(1, b"salt");
        assert_ne!(keys.seal("a", "k", 5, b"x").unwrap(), keys.seal("a", "k", 5, b"x").unwrap());
    }

    #[test]
    fn a_sealed_name_is_found_again_and_hides_the_name() {
        let keys = keys(1, b"salt");
        let sealed = keys.seal_name("answer", "7/abc").unwrap();
        assert_eq!(sealed, keys.seal_name("answer", "7/abc").unwrap());
        assert_eq!(keys.open_name("answer", &sealed).as_deref(), Some("7/abc"));
        assert_eq!(keys.open_name("record", &sealed), None);
        assert!(!sealed.windows(5).any(|w| w == b"7/abc"));
    }

    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", Sealer::new(&secret(0), Some(&secret(9))).unwrap());
        assert_eq!(shown, "Sealer(..)");
    }

    proptest! {
        #[test]
        fn a_value_with_any_byte_altered_does_not_open(
            value in proptest::collection::vec(any::<u8>(), 0..64),
            at in any::<proptest::sample::Index>(),
            flip in 1u8..,
        ) {
            let keys = keys(1, b"salt");
            let mut sealed = keys.seal("answer", "k", 5, &value).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= flip;
            prop_assert!(keys.open("answer", "k", sealed).is_none());
        }

        #[test]
        fn bytes_that_nobody_sealed_do_not_open(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(keys(1, b"salt").open("answer", "k", bytes).is_none());
        }
    }
}
