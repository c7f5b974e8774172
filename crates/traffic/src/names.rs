//! The dictionaries behind the id columns.
//!
//! An id is dense and given in order of first appearance, so it depends on the order of input.
//! Nothing that a user sees may depend on an id: sort by name before output.

use domain::{CaseKey, Pseudonym};
use hashbrown::HashTable;

use crate::schema::post::Trace;

/// A stable 63-bit digest of an id, never negative. Two of a million ids collide with probability 6e-8.
pub fn digest(bytes: &[u8]) -> i64 {
    let hash = blake3::hash(bytes);
    let mut short = [0; 8];
    short.copy_from_slice(&hash.as_bytes()[..8]);
    i64::from_le_bytes(short) & i64::MAX
}

/// Byte strings in one arena, each with a dense id.
#[derive(Debug, Default)]
struct Interner {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: hashbrown::DefaultHashBuilder,
}

impl Interner {
    fn get(&self, id: usize) -> &[u8] {
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        &self.bytes[start..self.ends[id]]
    }

    fn intern(&mut self, name: &[u8]) -> u32 {
        use std::hash::BuildHasher;
        let hash = self.hasher.hash_one(name);
        let (bytes, ends) = (&self.bytes, &self.ends);
        let at = |id: u32| {
            let id = id as usize;
            let start = if id == 0 { 0 } else { ends[id - 1] };
            &bytes[start..ends[id]]
        };
        if let Some(&id) = self.table.find(hash, |&id| at(id) == name) {
            return id;
        }
        let id = u32::try_from(self.ends.len()).expect("internal error: more than 2^32 names");
        let hasher = &self.hasher;
        self.table.insert_unique(hash, id, |&id| hasher.hash_one(at(id)));
        self.bytes.extend_from_slice(name);
        self.ends.push(self.bytes.len());
        id
    }
}

/// Names of accounts. How they are kept is decided once, at the border.
#[derive(Debug)]
pub struct AccountNames(Accounts);

#[derive(Debug)]
enum Accounts {
    Plain(Interner),
    Keyed { key: CaseKey, ids: HashTable<i32>, names: Vec<Pseudonym> },
    Numbers,
}

impl AccountNames {
    /// Keeps the input's own ids: for data that is already anonymised, and for `coordination edges`.
    pub fn plain() -> Self {
        Self(Accounts::Plain(Interner::default()))
    }

    /// Keeps keyed pseudonyms only; the input's ids are forgotten at once.
    pub fn keyed(key: CaseKey) -> Self {
        Self(Accounts::Keyed { key, ids: HashTable::new(), names: Vec::new() })
    }

    /// For columns that already hold dense numbers: the id is the name.
    pub fn numbers() -> Self {
        Self(Accounts::Numbers)
    }

    /// The id of an account, given on first sight.
    ///
    /// # Panics
    /// After 2^31 accounts, or where the names are numbers.
    pub fn intern(&mut self, account: &[u8]) -> i32 {
        match &mut self.0 {
            Accounts::Plain(names) => {
                i32::try_from(names.intern(account)).expect("internal error: 2^31 accounts")
            }
            Accounts::Keyed { key, ids, names } => {
                let pseudonym = key.pseudonym(account);
                // A pseudonym is uniform to whoever lacks the key, so its own bits are the hash; the
                // table holds ids alone, which keeps a million accounts below 50 MB.
                let hash =
                    |p: &Pseudonym| u64::from_le_bytes(p.0[..8].try_into().expect("internal error: 8 bytes"));
                let found = ids.find(hash(&pseudonym), |&id| names[id as usize] == pseudonym);
                if let Some(&id) = found {
                    return id;
                }
                let id = i32::try_from(names.len()).expect("internal error: 2^31 accounts");
                names.push(pseudonym);
                ids.insert_unique(hash(&pseudonym), id, |&id| hash(&names[id as usize]));
                id
            }
            Accounts::Numbers => panic!("internal error: numbered accounts are not interned"),
        }
    }

    /// What the account is called in everything that is put out.
    pub fn name(&self, id: i32) -> String {
        match &self.0 {
            Accounts::Plain(names) => String::from_utf8_lossy(names.get(id as usize)).into_owned(),
            Accounts::Keyed { names, .. } => names[id as usize].to_string(),
            Accounts::Numbers => id.to_string(),
        }
    }

    /// A digest that depends on the name and not on the id: for an order that survives any order
    /// of input.
    pub fn digest(&self, id: i32) -> i64 {
        match &self.0 {
            Accounts::Plain(names) => digest(names.get(id as usize)),
            Accounts::Keyed { names, .. } => digest(&names[id as usize].0),
            Accounts::Numbers => i64::from(id),
        }
    }

    /// Accounts seen; 0 where the names are numbers.
    pub fn len(&self) -> usize {
        match &self.0 {
            Accounts::Plain(names) => names.ends.len(),
            Accounts::Keyed { names, .. } => names.len(),
            Accounts::Numbers => 0,
        }
    }

    /// True where no account was seen.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Names of objects, each with its trace.
#[derive(Debug, Default)]
pub struct ObjectNames {
    names: Interner,
    traces: Vec<Trace>,
    numbers: bool,
    scratch: Vec<u8>,
}

impl ObjectNames {
    /// An empty dictionary.
    pub fn new() -> Self {
        Self::default()
    }

    /// For columns that already hold numbers, all of [`Trace::Object`]: the id is the name.
    pub fn numbers() -> Self {
        Self { numbers: true, ..Self::default() }
    }

    /// The id of an object, given on first sight. The same name in two traces has two ids.
    pub fn intern(&mut self, trace: Trace, name: &[u8]) -> i64 {
        self.scratch.clear();
        self.scratch.push(trace.code() as u8);
        self.scratch.extend_from_slice(name);
        let id = self.names.intern(&self.scratch);
        if id as usize == self.traces.len() {
            self.traces.push(trace);
        }
        i64::from(id)
    }

    /// The object's name, without its trace.
    pub fn name(&self, id: i64) -> String {
        if self.numbers {
            return id.to_string();
        }
        String::from_utf8_lossy(&self.names.get(id as usize)[1..]).into_owned()
    }

    /// The object's trace.
    pub fn trace(&self, id: i64) -> Trace {
        if self.numbers { Trace::Object } else { self.traces[id as usize] }
    }

    /// A digest that depends on trace and name and not on the id.
    pub fn digest(&self, id: i64) -> i64 {
        if self.numbers { id } else { digest(self.names.get(id as usize)) }
    }

    /// Objects seen; 0 where the names are numbers.
    pub fn len(&self) -> usize {
        self.traces.len()
    }

    /// True where no object was seen.
    pub fn is_empty(&self) -> bool {
        self.traces.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_dense_and_names_come_back() {
        let mut names = AccountNames::plain();
        assert_eq!((names.intern(b"ana"), names.intern(b"eva"), names.intern(b"ana")), (0, 1, 0));
        assert_eq!(names.name(1), "eva");
        assert_eq!(names.len(), 2);
    }

    #[test]
    fn keyed_names_forget_the_id() {
        let key = CaseKey::new([1; 32]);
        let mut names = AccountNames::keyed(key.clone());
        let id = names.intern(b"ana");
        assert_eq!(names.name(id), key.pseudonym(b"ana").to_string());
        assert!(!format!("{names:?}").contains("ana"));
    }

    #[test]
    fn the_same_name_in_two_traces_is_two_objects() {
        let mut names = ObjectNames::new();
        let (url, tag) = (names.intern(Trace::Url, b"x"), names.intern(Trace::Hashtag, b"x"));
        assert_ne!(url, tag);
        assert_eq!((names.name(url), names.trace(tag)), ("x".to_owned(), Trace::Hashtag));
    }

    #[test]
    fn digests_do_not_depend_on_order() {
        let (mut one, mut two) = (AccountNames::plain(), AccountNames::plain());
        two.intern(b"first");
        assert_eq!(one.intern(b"ana"), 0);
        assert_eq!(two.intern(b"ana"), 1);
        assert_eq!(one.digest(0), two.digest(1));
    }
}
